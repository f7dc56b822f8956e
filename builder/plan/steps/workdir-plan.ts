import type { WorkdirInstruction } from '#parser'
import { changeDirectory, resolvePath, withSeparators } from '../stage/paths.ts'
import type { StagePlan } from '../stage/stage-plan.ts'
import {
  addHistory,
  refuseWindowsLayers,
  type StageState,
  withConfig,
  workingDirectory,
} from '../stage/stage-state.ts'
import { shownText } from '../stage/step-names.ts'
import { expandWith } from '../variables/expand.ts'

/** WORKDIR: the config, and the directory with its missing parents as a layer. */
export function planWorkdir(
  state: StageState,
  instruction: WorkdirInstruction,
  plan: StagePlan,
): StageState {
  const written = expandWith(instruction.path, state.scope)
  const { os } = state.platform
  const path = changeDirectory(workingDirectory(state), written, os)
  const changed = withConfig(state, { WorkingDir: withSeparators(path, os) })
  const createdBy = `WORKDIR ${path}`
  if (path === '/') return addHistory(changed, createdBy)
  refuseWindowsLayers(state)
  const user = state.config.User ?? ''
  const [name = '', group] = user.split(':', 2)
  const owner = name === '' ? {} : { owner: { user: name, ...(group ? { group } : {}) } }
  const id = plan.vertices.add({
    op: 'files',
    name: plan.names.step(shownText(instruction.text, state.scope)),
    range: instruction.range,
    root: state.top,
    sources: [],
    actions: [{ kind: 'mkdir', path: resolvePath('/', path), mode: 0o755, ...owner }],
    link: false,
  })
  return addHistory(changed, createdBy, id)
}
