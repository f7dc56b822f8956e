import type { FileAction, Owner } from '#builder/files'
import { withoutCredentials } from '#core'
import {
  type AddInstruction,
  type CopyInstruction,
  expandWord,
  type Heredoc,
  heredocBody,
  type Word,
} from '#parser'
import * as history from '../stage/history.ts'
import { resolveDestination, slashed } from '../stage/paths.ts'
import type { StagePlan } from '../stage/stage-plan.ts'
import {
  addHistory,
  refuseWindowsLayers,
  type StageState,
  workingDirectory,
} from '../stage/stage-state.ts'
import { shownText } from '../stage/step-names.ts'
import { expandWith, withErrorsAt } from '../variables/expand.ts'
import { copySources, type Placement } from './copy-sources.ts'

type CopyOrAdd = CopyInstruction | AddInstruction

/** COPY and ADD: files from the context, a stage or an image, then heredocs, as one layer. */
export function planCopy(state: StageState, instruction: CopyOrAdd, plan: StagePlan): StageState {
  const expand = (word: Word): string => expandWith(word, state.scope)
  refuseWindowsLayers(state)
  const { os } = state.platform
  const sources = instruction.sources.map(expand)
  const written = expand(instruction.destination)
  const chown = instruction.chown === undefined ? undefined : expand(instruction.chown)
  const chmod = instruction.chmod === undefined ? undefined : expand(instruction.chmod)
  const placement: Placement = {
    destination: resolveDestination(workingDirectory(state), slashed(written, os)),
    ...(chown ? { owner: ownerOf(chown) } : {}),
    ...(chmod ? { chmod } : {}),
  }
  const flag = instruction.kind === 'add' ? instruction.checksum : undefined
  const checksum = flag === undefined ? undefined : expand(flag) || undefined
  const copied = copySources(instruction, { paths: sources, placement, checksum, os }, plan)
  const actions: FileAction[] = [
    ...copied.actions,
    ...instruction.inline.map((heredoc) => {
      const data = heredocData(heredoc, state, instruction)
      return { kind: 'write', name: heredoc.name, data, ...placement } as const
    }),
  ]
  const parents = instruction.kind === 'copy' && instruction.parents
  const id = plan.vertices.add({
    op: 'files',
    name: plan.names.step(withoutCredentials(shownText(instruction.text, state.scope))),
    range: instruction.range,
    root: state.top,
    sources: copied.sources,
    actions,
    // As in BuildKit, `--chmod` disables `--link`.
    link: instruction.link && !chmod,
  })
  const shown = instruction.kind === 'add' ? sources.map(withoutCredentials) : sources
  const text = history.copy({
    instruction: instruction.kind === 'copy' ? 'COPY' : 'ADD',
    parents,
    chown,
    chmod,
    sources: [...shown, ...instruction.inline.map(({ name }) => `<<${name}`)],
    destination: written,
  })
  return addHistory(state, text, id)
}

function heredocData(heredoc: Heredoc, state: StageState, { range }: CopyOrAdd): string {
  const raw = heredocBody(heredoc)
  if (!heredoc.expand) return raw
  const lookup = (name: string): string | undefined => state.scope.variables.get(name)
  return withErrorsAt({ raw, range }, () => expandWord(raw, { lookup, quotes: 'ignore' }))
}

/** `user[:group]`, split at the first colon. */
function ownerOf(chown: string): Owner {
  const at = chown.indexOf(':')
  if (at < 0) return { user: chown }
  const group = chown.slice(at + 1)
  return { user: chown.slice(0, at), ...(group === '' ? {} : { group }) }
}
