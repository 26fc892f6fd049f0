/** Stands before a server and breaks what is said to it, one piece of a request after the other counted. */
export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  /** Pieces that clients have sent. */
  seen: number;
  /** Closes the connection that brings this piece: before the server gets it, or after. */
  cut: { at: number; delivered: boolean; forGood: boolean } | null;
  /** Whether nothing that clients send arrives. */
  silent: boolean;
  /** What every request beginning so is answered with, instead of by the server. */
  instead: { start: string; answer: string } | null;
}

/** Starts a proxy before a port of this machine. */
export function cutProxy(target: number): CutProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const close = (connection: Deno.Conn) => {
    if (!open.delete(connection)) return;
    try {
      connection.close();
    } catch { /* closed by the other side */ }
  };
  let dead = false;

  async function pipe(from: Deno.Conn, to: Deno.Conn, asked: boolean): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let size; (size = await from.read(buffer)) !== null;) {
        const piece = buffer.slice(0, size), { cut, instead } = proxy;
        if (asked && instead && new TextDecoder().decode(piece).startsWith(instead.start)) {
          await from.write(new TextEncoder().encode(instead.answer));
          break;
        }
        if (asked && proxy.silent) continue;
        const last = asked && cut !== null && ++proxy.seen === cut.at;
        if (asked && cut === null) proxy.seen++;
        if (last && cut.forGood) dead = true;
        if (!last || cut.delivered) {
          for (let done = 0; done < size;) done += await to.write(piece.subarray(done));
        }
        // What it has done, it has done; the answer is lost.
        if (last && cut.delivered) await new Promise((resolve) => setTimeout(resolve, 15));
        if (last) break;
      }
    } catch { /* one of the two is gone */ }
    close(from);
    close(to);
  }

  async function serve(): Promise<void> {
    for await (const client of listener) {
      open.add(client);
      if (dead) {
        close(client);
        continue;
      }
      let server: Deno.Conn;
      try {
        server = await Deno.connect({ hostname: "127.0.0.1", port: target });
      } catch {
        close(client);
        continue;
      }
      open.add(server);
      pipes.push(pipe(client, server, true), pipe(server, client, false));
    }
  }

  const pipes: Promise<void>[] = [];
  const proxy: CutProxy = {
    port: (listener.addr as Deno.NetAddr).port,
    seen: 0,
    cut: null,
    silent: false,
    instead: null,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of [...open]) close(connection);
      await serving;
      await Promise.all(pipes);
    },
  };
  const serving = serve();
  return proxy;
}
