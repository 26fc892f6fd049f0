import type { Fault } from "./patience.ts";

const START = "see that the server runs and is reached";
const PASSWORD = "set PGPASSWORD and the user in the URL";
const CERTIFICATE = "renew the server's certificate, or name its authority by sslrootcert";

/** Codes of PostgreSQL, its client and the system, whole or by their first two letters; the first that fits counts. */
const FAULTS: readonly (readonly [code: RegExp, got: string, cure: string, passing: boolean])[] = [
  [/^(28P01|28000)$/, "a refused user or password", PASSWORD, false],
  [/^SASL/, "no password to show", PASSWORD, false],
  [/^3D000$/, "no such database", "make it with createdb", false],
  [/^42501$/, "permission denied", "grant the user all rights on the database", false],
  [/^CERT_HAS_EXPIRED$/, "an expired certificate", "renew the server's certificate", false],
  [
    /SELF_SIGNED|UNABLE_TO_/,
    "a certificate of an unknown authority",
    "name its authority by sslrootcert",
    false,
  ],
  [/CERT|ALTNAME/, "a certificate that does not hold", CERTIFICATE, false],
  [/^53100$/, "a full disk", "free some space on the server", true],
  [/^53/, "a server without room", "wait, or raise its limits", true],
  [/^(57P0[1-5]|08...|40...|55P03|57014|25P0[123]|XX000)$/, "a server that broke off", START, true],
  [/^(CONNECTION_|CONNECT_TIMEOUT)/, "a lost connection", START, true],
  [/^DEADLINE$/, "no answer in time", START, true],
  [
    /^E(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTCONN)$/,
    "no connection",
    START,
    true,
  ],
  [/^ENOTFOUND$/, "no such host", "correct the URL", false],
];

/** A failure of the database in words; null where it is another kind of error. */
export function explainPostgres(error: unknown): Fault | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const name = typeof code === "string" ? code : nameOf(String(message ?? ""));
  const found = FAULTS.find(([pattern]) => pattern.test(name));
  if (!found) return null;
  const [, got, cure, passing] = found;
  return { got: `${got} (${name})`, cure, passing };
}

/** Errors that come without a code. */
function nameOf(message: string): string {
  if (/certificate/i.test(message)) return "CERT";
  if (/^SASL/.test(message)) return "SASL";
  if (/BadResource|broken pipe|connection (reset|closed|refused)/i.test(message)) return "ECONNRESET";
  return "";
}
