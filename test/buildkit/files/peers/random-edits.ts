import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import { makeNode, setFileTimes } from '#builder/linux'

/** Something that happens to a folder. */
export interface Edit {
  readonly kind: 'file' | 'folder' | 'link' | 'pipe' | 'other name' | 'mode' | 'time' | 'removal'
  readonly path: readonly Buffer[]
  /** Another path, for names of one file. */
  readonly other: readonly Buffer[]
  readonly size: number
  readonly mode: number
  readonly time: bigint
}

/** Some sort otherwise as text, some are not UTF-8, and some are parts of others. */
const NAMES = ['a', 'b', 'a b', 'a-b', 'a.b', 'aa', '.a', 'é', 'B'].map((name) => Buffer.from(name))
const NAME = fc.constantFrom(...NAMES, Buffer.from([0xff]), Buffer.from([0x61, 0x01]))
const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 })
const SIZE = fc.constantFrom(0, 1, 10, 32 * 1024, 32 * 1024 + 1, 100_000)
const MODE = fc.constantFrom(0o644, 0o755, 0o444, 0o600, 0, 0o4755, 0o2750, 0o1777)
const TIME = fc.constantFrom(0n, 1n, 999_999_999n, 1_796_068_475_998_151_764n, -1n)

export const EDITS: fc.Arbitrary<Edit[]> = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom(
      ...(['file', 'file', 'file', 'folder', 'link', 'pipe', 'other name'] as const),
      ...(['mode', 'time', 'removal'] as const),
    ),
    ...{ path: PATH, other: PATH, size: SIZE, mode: MODE, time: TIME },
  }),
  { maxLength: 30 },
)

/** Makes edits; what is in the way goes. */
export function edit(folder: string, edits: readonly Edit[]): void {
  for (const one of edits) {
    try {
      perform(folder, one)
    } catch (cause) {
      // Of what another edit made impossible.
      if (
        !/^E(?:NOENT|NOTDIR|EXIST|ISDIR|PERM|LOOP|XDEV|NOTEMPTY)/.test(
          `${(cause as Error).message}`,
        )
      )
        throw cause
    }
  }
}

function perform(folder: string, { kind, path, other, size, mode, time }: Edit): void {
  const at = placeOf(folder, path)
  if (kind === 'mode' || kind === 'time') {
    if (lstatSync(at).isSymbolicLink()) return
    if (kind === 'mode') chmodSync(at, mode)
    else setFileTimes(at, { atimeNs: 0n, mtimeNs: time })
    return
  }
  rmSync(at, { recursive: true, force: true })
  if (kind === 'removal') return
  makeParents(folder, path)
  if (kind === 'file') writeFileSync(at, Buffer.alloc(size, `${mode}`), { mode })
  else if (kind === 'folder') mkdirSync(at, { mode })
  else if (kind === 'link') symlinkSync(`to-${size}`, at)
  else if (kind === 'pipe') makeNode(at, 'fifo', { mode })
  else linkSync(placeOf(folder, other), at)
  if (kind === 'file' || kind === 'folder') {
    chmodSync(at, mode)
    setFileTimes(at, { atimeNs: 0n, mtimeNs: time })
  }
}

function makeParents(folder: string, path: readonly Buffer[]): void {
  for (let depth = 1; depth < path.length; depth++) {
    const parent = placeOf(folder, path.slice(0, depth))
    const stats = lstatSync(parent, { throwIfNoEntry: false })
    if (stats?.isDirectory()) continue
    if (stats !== undefined) rmSync(parent)
    mkdirSync(parent)
  }
}

function placeOf(folder: string, path: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(folder), ...path.flatMap((name) => [Buffer.from('/'), name])])
}
