import { type Name, textOfName } from '#core'

/** A path of a tree as errors show it. */
export function quote(path: Name): string {
  return JSON.stringify(`/${textOfName(path)}`)
}
