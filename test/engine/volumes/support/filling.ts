/** `filling.js FOLDER IMAGE`: fills a volume from an image, and says when it begins. */
import { ContainerMounts, Volumes, VolumeThread } from '#engine/volumes'
import { memoryDocuments } from '../../support/memory-documents.ts'
import { recordOf } from './volume-lab.ts'

const [, , folder = '', image = ''] = process.argv
await using thread = new VolumeThread()
const emit = (): void => undefined
const volumes = new Volumes({
  ...{ documents: memoryDocuments(), folder, emit, usersOf: () => [] },
  measure: (directories) => thread.measure(directories),
})
const mounts = new ContainerMounts({ volumes, thread, emit })
// The thread has started once it has answered.
await thread.measure(['/nonexistent'])
volumes.create({ name: 'big' })
process.stdout.write('filling\n')
await mounts.make(recordOf('one', { Binds: ['big:/files'] }), {
  lowers: async () => await Promise.resolve([image]),
  mountsOf: () => [],
  requireImage: async () => await Promise.resolve(),
})
