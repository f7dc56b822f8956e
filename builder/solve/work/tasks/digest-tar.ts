import type { WrittenTar } from '#builder/layer'
import { type Ring, readRing } from '#builder/threads'
import { asDiffId, Digester } from '#core'

/** Takes the digest of a tar while another thread writes it. */
export function digestTar({ tar }: { readonly tar: Ring }): WrittenTar {
  const digester = new Digester()
  for (const bytes of readRing(tar)) digester.update(bytes)
  return { diffId: asDiffId(digester.digest()), size: digester.size }
}
