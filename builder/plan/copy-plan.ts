import type { FileAction, Owner } from '#builder/files'
import {
  type AddInstruction,
  type CopyInstruction,
  expandWord,
  type Heredoc,
  SourceError,
  type Word,
} from '#parser'
import { expandWith } from './expand.ts'
import * as history from './history.ts'
import { resolveDestination } from './paths.ts'
import type { StagePlan } from './plan.ts'
import { noted, type StageState } from './stage-state.ts'
import type { FilesSource } from './vertex.ts'

type Copying = CopyInstruction | AddInstruction

interface Placement {
  readonly destination: string
  readonly owner?: Owner
  readonly chmod?: string
}

/** COPY and ADD: files from the context, a stage or an image, then heredocs, as one layer. */
export function planCopy(state: StageState, instruction: Copying, plan: StagePlan): StageState {
  const expand = (word: Word): string => expandWith(word, state.env, plan.graph.dockerfile.escape)
  const sources = instruction.sources.map(expand)
  if (instruction.kind === 'add') refuseRemote(instruction, sources)
  const written = expand(instruction.destination)
  const chown = instruction.chown === undefined ? undefined : expand(instruction.chown)
  const chmod = instruction.chmod === undefined ? undefined : expand(instruction.chmod)
  const placement: Placement = {
    destination: resolveDestination(state.config.WorkingDir ?? '/', written),
    ...(chown ? { owner: ownerOf(chown) } : {}),
    ...(chmod ? { chmod } : {}),
  }
  const actions = [
    ...copyActions(instruction, sources, placement),
    ...instruction.heredocs.map((heredoc) => writeAction(heredoc, state, placement)),
  ]
  const parents = instruction.kind === 'copy' && instruction.parents
  const id = plan.vertices.add({
    op: 'files',
    name: plan.names.step(instruction.text),
    range: instruction.range,
    root: state.top,
    sources: sources.length === 0 ? [] : [sourceOf(instruction, plan)],
    actions,
    link: instruction.link,
  })
  const text = history.copy({
    instruction: instruction.kind === 'copy' ? 'COPY' : 'ADD',
    parents,
    chown,
    chmod,
    sources: [...sources, ...instruction.heredocs.map(({ name }) => `<<${name}`)],
    destination: written,
  })
  return noted(state, text, id)
}

function copyActions(
  instruction: Copying,
  paths: readonly string[],
  placement: Placement,
): readonly FileAction[] {
  if (paths.length === 0) return []
  return [
    {
      kind: 'copy',
      source: 0,
      paths,
      ...placement,
      exclude: instruction.exclude.map((word) => word.raw),
      parents: instruction.kind === 'copy' && instruction.parents,
      unpack: instruction.kind === 'add' && instruction.unpack !== false ? 'auto' : 'never',
      wildcards: true,
    },
  ]
}

function writeAction(heredoc: Heredoc, state: StageState, placement: Placement): FileAction {
  const { name, content, chomp } = heredoc
  const body = chomp ? content.replace(/^\t+/gm, '') : content
  const lookup = (variable: string): string | undefined => state.env.get(variable)
  const data = heredoc.expand ? expandWord(body, { lookup, quotes: 'ignore' }) : body
  return { kind: 'write', name, data, ...placement }
}

function sourceOf(instruction: Copying, plan: StagePlan): FilesSource {
  if (instruction.kind === 'add' || instruction.from === undefined) return { kind: 'context' }
  const source = plan.linked.sources.get(instruction.from.raw)
  if (source === undefined) throw new Error(`--from=${instruction.from.raw} was not linked`)
  return { kind: 'vertex', vertex: plan.topOf(source, instruction.from.range) }
}

/** `user[:group]`, split at the first colon. */
function ownerOf(chown: string): Owner {
  const at = chown.indexOf(':')
  if (at < 0) return { user: chown }
  const group = chown.slice(at + 1)
  return { user: chown.slice(0, at), ...(group === '' ? {} : { group }) }
}

function refuseRemote(instruction: AddInstruction, sources: readonly string[]): void {
  const at = sources.findIndex((source) => /^(https?|git|ssh):\/\/|^git@[^/]+:/i.test(source))
  const refusal = (what: string, word: Word | undefined): SourceError =>
    new SourceError(`${what} is not supported`, {
      code: 'UNSUPPORTED',
      ranges: [word?.range ?? instruction.range],
      hint: 'download it in a RUN step, or put it into the build context',
    })
  if (at >= 0) throw refusal('ADD of a remote source', instruction.sources[at])
  if (instruction.checksum !== undefined) throw refusal('ADD --checksum', instruction.checksum)
  if (instruction.keepGitDir === true) throw refusal('ADD --keep-git-dir', undefined)
}
