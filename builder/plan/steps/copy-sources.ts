import {
  type GitSource,
  gitSourceName,
  type HttpSource,
  httpSourceName,
  parseGitSource,
  parseHttpSource,
  withChecksum,
  withGitFlags,
} from '#builder/fetch'
import type { CopyAction, Owner } from '#builder/files'
import { type AddInstruction, type CopyInstruction, SourceError, type Word } from '#parser'
import { slashed } from '../stage/paths.ts'
import type { StagePlan } from '../stage/stage-plan.ts'
import { withErrorsAt } from '../variables/expand.ts'
import type { FilesSource, VertexId } from '../vertices/vertex.ts'

/** Where something goes, and what it becomes there. */
export interface Placement {
  readonly destination: string
  readonly owner?: Owner
  readonly chmod?: string
}

/** The words of an instruction with their variables replaced. */
export interface CopiedWords {
  /** As many as the instruction has sources. */
  readonly paths: readonly string[]
  readonly placement: Placement
  /** `--checksum`; ADD only. */
  readonly checksum: string | undefined
  /** The system of the stage, whose separators paths may have. */
  readonly os: string
}

/** The sources of a vertex, and the actions that copy from them. */
export interface CopiedSources {
  readonly sources: readonly FilesSource[]
  readonly actions: readonly CopyAction[]
}

type CopyOrAdd = CopyInstruction | AddInstruction

/** A source as it was written, and what it stands for. */
interface ResolvedSource {
  readonly source: FilesSource
  /** Paths that follow each other in the same source are copied by one action. */
  readonly path: string
  readonly kind: 'files' | 'http' | 'git'
}

/**
 * Plans the sources of COPY and ADD, in the order written: paths in the context or a stage, and for
 * ADD remote files and repositories.
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function copySources(
  instruction: CopyOrAdd,
  words: CopiedWords,
  plan: StagePlan,
): CopiedSources {
  if (words.checksum !== undefined && words.paths.length !== 1) {
    throw checksumError(instruction, "checksum can't be specified for multiple sources")
  }
  const sources: FilesSource[] = []
  const actions: CopyAction[] = []
  for (const [index, path] of words.paths.entries()) {
    const word = instruction.sources[index] ?? instruction.destination
    const { checksum, os } = words
    const resolved = resolveSource(instruction, { path, word, checksum, os }, plan)
    const last = actions.at(-1)
    if (resolved.kind === 'files' && last?.wildcards === true) {
      actions[actions.length - 1] = { ...last, paths: [...last.paths, resolved.path] }
      continue
    }
    const known =
      resolved.kind === 'files' ? sources.findIndex(({ kind }) => kind === 'context') : -1
    if (known < 0) sources.push(resolved.source)
    const source = known < 0 ? sources.length - 1 : known
    actions.push({ ...actionOf(instruction, resolved, words.placement), source })
  }
  return { sources, actions }
}

function actionOf(
  instruction: CopyOrAdd,
  { kind, path }: ResolvedSource,
  placement: Placement,
): CopyAction {
  const isAdd = instruction.kind === 'add'
  const unpacks: Readonly<Record<ResolvedSource['kind'], boolean>> = {
    files: isAdd && instruction.unpack !== false,
    http: isAdd && instruction.unpack === true,
    git: false,
  }
  return {
    kind: 'copy',
    source: 0,
    paths: [path],
    ...placement,
    exclude: instruction.exclude.map((word) => word.raw),
    parents: kind === 'files' && instruction.kind === 'copy' && instruction.parents,
    unpack: unpacks[kind] ? 'auto' : 'never',
    wildcards: kind === 'files',
  }
}

interface WrittenSource {
  readonly path: string
  readonly word: Word
  readonly checksum: string | undefined
}

/** A file or a repository elsewhere. */
export type RemoteSource =
  | { readonly op: 'git'; readonly source: GitSource }
  | { readonly op: 'http'; readonly source: HttpSource }

/** What an ADD fetches; `undefined` for a path. @throws {SourceError} DOCKERFILE_INVALID */
export function remoteSource(
  { checksum: flag, keepGitDir }: AddInstruction,
  { path, word, checksum }: WrittenSource,
): RemoteSource | undefined {
  const git = withErrorsAt(word, () => parseGitSource(path))
  if (git !== undefined) {
    return {
      op: 'git',
      source: withErrorsAt(word, () => withGitFlags(git, { checksum, keepGitDir })),
    }
  }
  const http = withErrorsAt(word, () => parseHttpSource(path))
  if (http === undefined) return undefined
  if (checksum === undefined) return { op: 'http', source: http }
  return { op: 'http', source: withErrorsAt(flag ?? word, () => withChecksum(http, checksum)) }
}

function resolveSource(
  instruction: CopyOrAdd,
  written: WrittenSource & { readonly os: string },
  plan: StagePlan,
): ResolvedSource {
  const { path, word, os } = written
  const { range } = word
  if (instruction.kind === 'copy') refuseRemote(path, word)
  else {
    const resolved = remoteSource(instruction, written)
    if (resolved?.op === 'git') {
      const vertex = { ...resolved, name: gitSourceName(resolved.source), range }
      return remote(plan.vertices.remote(vertex), 'git', '/')
    }
    if (resolved?.op === 'http') {
      const vertex = { ...resolved, name: httpSourceName(resolved.source), range }
      return remote(plan.vertices.remote(vertex), 'http', resolved.source.name)
    }
  }
  if (written.checksum !== undefined) {
    throw checksumError(instruction, 'checksum requires HTTP(S) or Git sources')
  }
  return { kind: 'files', path: slashed(path, os), source: filesSourceOf(instruction, plan) }
}

function refuseRemote(path: string, word: Word): void {
  if (withErrorsAt(word, () => parseGitSource(path)) !== undefined) {
    throw sourceError("source can't be a git ref for COPY", word)
  }
  if (withErrorsAt(word, () => parseHttpSource(path)) !== undefined) {
    throw sourceError("source can't be a URL for COPY", word)
  }
}

function remote(vertex: VertexId, kind: 'http' | 'git', path: string): ResolvedSource {
  return { kind, path, source: { kind: 'vertex', vertex } }
}

function filesSourceOf(instruction: CopyOrAdd, plan: StagePlan): FilesSource {
  if (instruction.kind === 'add' || instruction.from === undefined) return { kind: 'context' }
  const source = plan.linked.sources.get(instruction.from)
  if (source === undefined) throw new Error(`--from=${instruction.from.raw} was not linked`)
  const { range } = instruction.from
  if (source.kind === 'image' && source.context !== undefined) {
    return plan.vertices.contextSource(source.context, range)
  }
  return { kind: 'vertex', vertex: plan.topOf(source, range) }
}

function sourceError(message: string, { range }: Word): SourceError {
  const hint = 'ADD takes files from elsewhere'
  return new SourceError(message, { code: 'DOCKERFILE_INVALID', ranges: [range], hint })
}

function checksumError(instruction: CopyOrAdd, message: string): SourceError {
  const checksum = instruction.kind === 'add' ? instruction.checksum : undefined
  return new SourceError(message, {
    code: 'DOCKERFILE_INVALID',
    ranges: [checksum?.range ?? instruction.range],
    hint: 'write an ADD of its own for each file with a checksum',
  })
}
