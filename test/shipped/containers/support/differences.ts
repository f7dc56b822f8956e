import {
  compareImages,
  type ReadImage,
  type Registry,
  readImage,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

/** How two images of a registry differ, one line a difference, for whoever reads a failure. */
export async function differencesOf(
  { host }: Registry,
  first: string,
  second: string,
): Promise<string> {
  using directory = temporaryDirectory('differences')
  const read = (image: string, name: string): Promise<ReadImage> =>
    readImage(`docker://${host}/${image}`, directory.path, name)
  const [one, other] = [await read(first, 'first'), await read(second, 'second')]
  const layersOf = ({ config }: ReadImage): readonly string[] => config.rootfs?.diff_ids ?? []
  const steps = (one.config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true)
  const layers = layersOf(one).flatMap((diffId, at) =>
    diffId === layersOf(other)[at] ? [] : [`layer ${at}: ${steps[at]?.created_by}`],
  )
  return [...layers, ...compareImages(one, other)].join('\n')
}
