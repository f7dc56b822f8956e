import { closeSync, openSync } from 'node:fs'
import { HoleWriter } from '#builder/linux'
import { asDiffId, Digester, ioError } from '#core'
import { type BlobTask, checkDiffId, tarOf } from './blob.ts'

/** A layer's blob, and the file to create of it. */
export interface StoreTarTask extends BlobTask {
  readonly tar: string
}

/** Writes the tar of a layer's blob, and checks that it is the layer it claims to be. @returns its bytes */
export async function storeTar(task: StoreTarTask): Promise<number> {
  const digester = new Digester()
  const file = openSync(task.tar, 'wx')
  try {
    const to = new HoleWriter(file)
    for await (const chunk of tarOf(task)) {
      digester.update(chunk)
      to.write(chunk)
    }
    to.finish()
  } catch (cause) {
    throw ioError(`write ${task.tar}`, cause)
  } finally {
    closeSync(file)
  }
  checkDiffId(task.diffId, asDiffId(digester.digest()))
  return digester.size
}
