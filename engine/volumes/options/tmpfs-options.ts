import type { TmpfsMount } from '#core'
import { TsbuildError } from '#core'

/** What a file system in memory is like. */
export type TmpfsSettings = Pick<
  TmpfsMount,
  'readonly' | 'mode' | 'uid' | 'gid' | 'forbids' | 'options'
>

type Forbidden = NonNullable<TmpfsMount['forbids']>[number]

const RESTRICTIONS = new Map<string, readonly [what: Forbidden, isForbidden: boolean]>([
  ...(['exec', 'suid', 'dev'] as const).flatMap((what) => [
    [what, [what, false]] as const,
    [`no${what}`, [what, true]] as const,
  ]),
])
/** About times of files and when they are written, which means little in memory. */
const WITHOUT_EFFECT =
  /^(?:defaults|rw|async|sync|dirsync|(?:no)?(?:atime|diratime|relatime|strictatime|mand|iversion|acl))$/
const OF_FILE_SYSTEM = /^(?:size|nr_inodes|nr_blocks|mpol)=./

/**
 * Options as `docker run --tmpfs` and the option `o` of volumes have them. Spec: mount(8)
 * @param forbidden what files cannot do unless an option says that they can
 * @throws {TsbuildError} USAGE in docker's words
 */
export function tmpfsSettings(
  words: readonly string[],
  forbidden: readonly Forbidden[],
): TmpfsSettings {
  const forbids = new Set(forbidden)
  const numbers: { mode?: number; uid?: number; gid?: number } = {}
  const options: string[] = []
  let readonly = false
  for (const word of words) {
    const [key, value = ''] = word.split('=')
    const [what, isForbidden] = RESTRICTIONS.get(word) ?? []
    if (what !== undefined) {
      if (isForbidden === true) forbids.add(what)
      else forbids.delete(what)
    } else if (word === 'ro') readonly = true
    else if (key === 'mode' && /^[0-7]{1,5}$/.test(value)) numbers.mode = Number.parseInt(value, 8)
    else if ((key === 'uid' || key === 'gid') && /^\d{1,10}$/.test(value)) {
      numbers[key] = Number(value)
    } else if (OF_FILE_SYSTEM.test(word)) options.push(word)
    else if (!WITHOUT_EFFECT.test(word)) throw optionError(word)
  }
  return { readonly, forbids: [...forbids], options, ...numbers }
}

function optionError(word: string): TsbuildError {
  return new TsbuildError(`invalid tmpfs option ${JSON.stringify(word)}`, { code: 'USAGE' })
}
