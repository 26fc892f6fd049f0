/** Certificates of a test, made by openssl as it runs. */
export interface Certificates extends AsyncDisposable {
  /** PEM files of a server at 127.0.0.1, by what is to be said of it, both from the authority `ca`. */
  readonly good: { readonly cert: string; readonly key: string };
  readonly expired: { readonly cert: string; readonly key: string };
  readonly ca: string;
  /** Another authority. */
  readonly other: string;
}

const SCRIPT = `
cd "$1"
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
printf 'subjectAltName=IP:127.0.0.1\\n' >names
for name in ca other; do openssl req -x509 $new -keyout $name.key -out $name.pem -days 2 -subj /CN=$name; done
sign() {
  openssl req $new -keyout $1.key -out $1.csr -subj /CN=server
  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out $1.pem -days $2
}
sign good 2
sign expired -1
chmod 755 .
chmod 600 good.key expired.key
if [ "$(id -u)" = 0 ]; then chown nobody good.key expired.key; fi`;

/** Makes them in a folder that goes with them; their keys may be read by servers that run without rights. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await Deno.makeTempDir();
  const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", SCRIPT, "sh", folder] }).output();
  if (!success) throw new Error(`openssl failed:\n${new TextDecoder().decode(stderr)}`);
  const pair = (name: string) => ({ cert: `${folder}/${name}.pem`, key: `${folder}/${name}.key` });
  return {
    good: pair("good"),
    expired: pair("expired"),
    ca: `${folder}/ca.pem`,
    other: `${folder}/other.pem`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
