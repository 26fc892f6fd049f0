import { UserError } from "../../util/errors.ts";
import type { Dataset, Examples, SourceFile } from "./dataset.ts";
import { sha256OfParts } from "./dataset.ts";
import { parseIdx } from "./idx.ts";
import { formatShape } from "../../util/shape.ts";

const SIDE = 28;
const CLASSES = [
  "T-shirt",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "boot",
];

/** The IDX files without `.gz`, in the order `parseFashionMnist` wants: training images and labels, test images and labels. */
export const FASHION_MNIST_FILES: readonly string[] = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/**
 * Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from its four IDX files, gzipped or not: images u8 [count, 28, 28, 1].
 * The SHA-256 is that of the given bytes laid end to end.
 *
 * @throws where a file is not sound IDX, images are not 28x28, counts differ, or a label is above 9.
 */
export async function parseFashionMnist(files: readonly SourceFile[]): Promise<Dataset> {
  if (files.length !== FASHION_MNIST_FILES.length) {
    throw new UserError(
      `fashion-mnist: want ${FASHION_MNIST_FILES.length} files (${
        FASHION_MNIST_FILES.join(", ")
      }), got ${files.length}`,
    );
  }
  const [trainImages, trainLabels, testImages, testLabels] = files;
  return {
    name: "fashion-mnist",
    sha256: await sha256OfParts(files.map((file) => file.bytes)),
    kind: "images",
    shape: [SIDE, SIDE, 1],
    classes: [...CLASSES],
    train: await readPair(trainImages, trainLabels),
    test: await readPair(testImages, testLabels),
  };
}

async function readPair(imageFile: SourceFile, labelFile: SourceFile): Promise<Examples> {
  const images = await parseIdx(imageFile), labels = await parseIdx(labelFile);
  const count = images.shape[0];
  if (images.shape.length !== 3 || images.shape[1] !== SIDE || images.shape[2] !== SIDE) {
    throw new UserError(
      `${imageFile.name}: want images [count, ${SIDE}, ${SIDE}], got ${formatShape(images.shape)}`,
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new UserError(
      `${labelFile.name}: want [${count}] as ${imageFile.name} has images, got ${formatShape(labels.shape)}`,
    );
  }
  const bad = labels.data.findIndex((label) => label >= CLASSES.length);
  if (bad >= 0) {
    throw new UserError(
      `${labelFile.name}: want labels 0 to ${CLASSES.length - 1}, got ${
        labels.data[bad]
      } at ${bad}; get the file again`,
    );
  }
  return { count, data: images.data, labels: labels.data };
}
