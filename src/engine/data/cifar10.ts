import { UserError } from "../../util/errors.ts";
import type { Dataset, Examples, SourceFile } from "./dataset.ts";
import { sha256OfParts } from "./dataset.ts";

const SIDE = 32, CHANNELS = 3, PIXELS = SIDE * SIDE;
const RECORD_BYTES = 1 + CHANNELS * PIXELS;
const CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");

/** The files of `cifar-10-batches-bin`, training first; `parseCifar10` wants them in this order. */
export const CIFAR10_FILES: readonly string[] = [
  "data_batch_1.bin",
  "data_batch_2.bin",
  "data_batch_3.bin",
  "data_batch_4.bin",
  "data_batch_5.bin",
  "test_batch.bin",
];

/** Records in each file of the official archive. */
export const CIFAR10_RECORDS_PER_FILE = 10_000;

/**
 * Reads CIFAR-10's binary layout (https://www.cs.toronto.edu/~kriz/cifar.html): records of 3073 bytes, one label
 * and then the red, green and blue planes of 32x32 bytes; turned into u8 [count, 32, 32, 3]. The SHA-256 is that of the
 * six files laid end to end.
 *
 * @throws where a file is missing, has another size than `recordsPerFile` records, or a label above 9.
 */
export async function parseCifar10(
  files: readonly SourceFile[],
  recordsPerFile: number = CIFAR10_RECORDS_PER_FILE,
): Promise<Dataset> {
  if (files.length !== CIFAR10_FILES.length) {
    throw new UserError(
      `cifar10: want ${CIFAR10_FILES.length} files (${CIFAR10_FILES.join(", ")}), got ${files.length}`,
    );
  }
  for (const file of files) checkFile(file, recordsPerFile);
  return {
    name: "cifar10",
    sha256: await sha256OfParts(files.map((file) => file.bytes)),
    kind: "images",
    shape: [SIDE, SIDE, CHANNELS],
    classes: [...CLASSES],
    train: readRecords(files.slice(0, -1), recordsPerFile),
    test: readRecords(files.slice(-1), recordsPerFile),
  };
}

function checkFile({ name, bytes }: SourceFile, records: number): void {
  const cure = "get the file again from cifar-10-binary.tar.gz";
  const want = records * RECORD_BYTES;
  if (bytes.length !== want) {
    const whole = Math.floor(bytes.length / RECORD_BYTES), rest = bytes.length % RECORD_BYTES;
    throw new UserError(
      `${name}: want ${want} bytes (${records} records of ${RECORD_BYTES}), got ${bytes.length} ` +
        `(${whole} records and ${rest} bytes); ${cure}`,
    );
  }
  for (let record = 0; record < records; record++) {
    const label = bytes[record * RECORD_BYTES];
    if (label >= CLASSES.length) {
      throw new UserError(
        `${name}: want labels 0 to ${CLASSES.length - 1}, got ${label} in record ${record}; ${cure}`,
      );
    }
  }
}

function readRecords(files: readonly SourceFile[], recordsPerFile: number): Examples {
  const count = files.length * recordsPerFile;
  const data = new Uint8Array(count * PIXELS * CHANNELS), labels = new Uint8Array(count);
  let example = 0, to = 0;
  for (const { bytes } of files) {
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      labels[example++] = bytes[at];
      for (let red = at + 1; red <= at + PIXELS; red++) {
        data[to++] = bytes[red];
        data[to++] = bytes[red + PIXELS];
        data[to++] = bytes[red + 2 * PIXELS];
      }
    }
  }
  return { count, data, labels };
}
