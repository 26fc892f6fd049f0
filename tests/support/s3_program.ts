/** A double of an S3 server: `s3_program.ts FOLDER PORT`. Its keys are S3RVER and S3RVER, its bucket is esper. */
import S3rver from "s3rver";

const [directory, port] = Deno.args;
const server = new S3rver({
  address: "127.0.0.1",
  port: Number(port),
  directory,
  silent: true,
  allowMismatchedSignatures: false,
  configureBuckets: [{ name: "esper" }],
});
await server.run();
