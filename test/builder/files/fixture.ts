import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import {
  attributesOf,
  type CopyAction,
  type FileAction,
  type FileContent,
  runFileActions,
  type SourceFile,
} from '#builder/files'
import { digestFile, directoryTree } from '#builder/tree'
import { type Change, type EntryChange, type Tree, textOfName } from '#core'
import type { FilesOptions, FilesResult } from '../../../builder/files/run.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

/** One line a file: `dir/ 0755 1:2`, `file 0644 =text`, `link -> target`, `name => first name`. */
export type Listing = readonly string[]

const MTIME = 1_600_000_000

/** Reads what counts of a file, as if nothing was known of it. */
export function readFile(file: SourceFile): FileContent {
  return { digest: digestFile(() => file.tree.openFile(file.path)), xattrs: attributesOf(file) }
}

/** Makes files in `folder`; every one gets the same time, so that a different one is noticed. */
export function makeFiles(folder: string, listing: Listing): void {
  mkdirSync(folder, { recursive: true })
  for (const line of listing) makeFile(folder, line)
  for (const line of [...listing].reverse()) {
    const path = join(folder, line.split(' ')[0] ?? '')
    lutimesSync(path.replace(/\/$/, ''), MTIME, MTIME)
  }
}

function makeFile(folder: string, line: string): void {
  const [name = ''] = line.split(' ')
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const target = / -> (.*)$/.exec(line)?.[1]
  const first = / => (.*)$/.exec(line)?.[1]
  if (target !== undefined) symlinkSync(target, path)
  else if (first !== undefined) linkSync(join(folder, first), path)
  else if (name.endsWith('/')) mkdirSync(path, { recursive: true })
  else writeFileSync(path, / =(.*)$/s.exec(line)?.[1] ?? name)
  const owner = / (\d+):(\d+)/.exec(line)
  if (owner !== null) chownSync(path, Number(owner[1]), Number(owner[2]))
  const mode = / (0\d+)/.exec(line)?.[1]
  if (mode !== undefined) chmodSync(path, Number.parseInt(mode, 8))
}

/** A change as a line of a listing, always with mode and owner; an opaque mark as `dir opaque`. */
function showChange(change: Change): string {
  const path = textOfName(change.path)
  if (change.kind !== 'entry') return `${path} ${change.kind}`
  const { stat, target, hardlink } = change
  const owner = `${stat.uid}:${stat.gid}`
  const mode = `0${stat.mode.toString(8).padStart(3, '0')}`
  if (hardlink !== undefined) return `${path} => ${textOfName(hardlink)}`
  if (target !== undefined) return `${path} ${owner} -> ${textOfName(target)}`
  if (stat.type === 'directory') return `${path}/ ${mode} ${owner}`
  if (stat.type === 'file') return `${path} ${mode} ${owner} =${contentOf(change)}`
  return `${path} ${mode} ${owner} ${stat.type} ${stat.major}:${stat.minor}`
}

function contentOf(change: EntryChange): string {
  if (change.data !== undefined) return Buffer.from(change.data).toString()
  const descriptor = change.open?.()
  if (descriptor === undefined) return ''
  try {
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** A root and sources on disk, and what actions make of them. */
export interface Workspace extends Disposable {
  readonly directory: TemporaryDirectory
  readonly root: Tree
  readonly sources: readonly Tree[]
  readonly warnings: string[]
  run(actions: readonly FileAction[], options?: Partial<FilesOptions>): Promise<FilesResult>
  /** The changes as a listing. */
  show(actions: readonly FileAction[]): Promise<string[]>
}

export interface WorkspaceFiles {
  readonly root?: Listing
  readonly source?: Listing
}

/** Time of everything that is made, in milliseconds. */
export const NOW = 1_700_000_000_000

export function workspace({ root = [], source = [] }: WorkspaceFiles): Workspace {
  const directory = temporaryDirectory('files')
  makeFiles(directory.file('root'), root)
  makeFiles(directory.file('source'), source)
  const rootTree = directoryTree(directory.file('root'), { owner: 'kept' })
  const sources = [directoryTree(directory.file('source'), { owner: 'kept' })]
  const warnings: string[] = []
  const run = (actions: readonly FileAction[], more: Partial<FilesOptions> = {}) => {
    const temporary = directory.file(`temporary${Math.random()}`)
    mkdirSync(temporary)
    const onWarning = (message: string) => warnings.push(message)
    const options = { root: rootTree, sources, temporary, mtimeMs: NOW, onWarning, ...more }
    return runFileActions(actions, options)
  }
  return {
    directory,
    root: rootTree,
    sources,
    warnings,
    run,
    show: async (actions) => {
      using result = await run(actions)
      return [...result.changes].map(showChange)
    },
    [Symbol.dispose]: () => {
      for (const tree of [rootTree, ...sources]) tree.close()
      directory[Symbol.dispose]()
    },
  }
}

/** `COPY paths… destination`, from the first source. */
export function copy(
  paths: string | readonly string[],
  destination: string,
  options: Partial<CopyAction> = {},
): CopyAction {
  return {
    kind: 'copy',
    source: 0,
    paths: typeof paths === 'string' ? [paths] : paths,
    destination,
    exclude: [],
    parents: false,
    unpack: 'never',
    wildcards: true,
    ...options,
  }
}
