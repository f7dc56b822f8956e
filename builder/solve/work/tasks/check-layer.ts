import { asDiffId, Digester } from '#core'
import { type BlobTask, checkDiffId, tarOf } from './blob.ts'

/** Checks that a blob is the layer it claims to be, without making anything of it. @returns bytes of the tar */
export async function checkLayer(task: BlobTask): Promise<number> {
  const digester = new Digester()
  for await (const chunk of tarOf(task)) digester.update(chunk)
  checkDiffId(task.diffId, asDiffId(digester.digest()))
  return digester.size
}
