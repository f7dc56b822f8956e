import {
  heredocBody,
  parseHeredocWord,
  type RunInstruction,
  SourceError,
  type SourceRange,
} from '#parser'
import * as history from '../stage/history.ts'
import { resolvePath } from '../stage/paths.ts'
import type { StagePlan } from '../stage/stage-plan.ts'
import {
  addHistory,
  type StageState,
  shellOf,
  workingDirectory,
  wrapCommand,
} from '../stage/stage-state.ts'
import { shownText } from '../stage/step-names.ts'
import { proxyEnv } from '../variables/build-args.ts'
import { formatEnv } from '../variables/env-lines.ts'
import type { ExpandScope } from '../variables/expand.ts'
import type { PlannedMount, ScriptMountPlan } from '../vertices/planned-mount.ts'
import {
  DEFAULT_STEP_SETTINGS,
  type Entitlement,
  type StepSettings,
} from '../vertices/step-settings.ts'
import type { PlannedProcess } from '../vertices/vertex.ts'
import { inOrder, planMounts } from './run-mounts.ts'

const DEFAULT_HOSTNAME = 'buildkitsandbox'
const AGENT_VARIABLE = 'SSH_AUTH_SOCK'

/** RUN: one process on top of what the stage has so far. */
export function planRun(
  state: StageState,
  instruction: RunInstruction,
  plan: StagePlan,
): StageState {
  const { globals, steps = DEFAULT_STEP_SETTINGS } = plan.options
  const { args, label, script } = commandOf(state, instruction)
  const { sources, mounts, warnings } = planMounts(state, instruction, plan)
  const isAgentNamed = state.scope.variables.has(AGENT_VARIABLE)
  const agent = isAgentNamed ? undefined : mounts.find((mount) => mount.kind === 'ssh')
  const id = plan.vertices.add({
    op: 'exec',
    name: plan.names.step(shownText(label, shownScope(state, mounts))),
    range: instruction.range,
    root: state.top,
    platform: state.platform,
    args: state.scope.args,
    sources,
    warnings,
    mounts: script === undefined ? mounts : inOrder([...mounts, script]),
    process: {
      args,
      env: [
        ...formatEnv(state.scope.variables),
        ...(agent === undefined ? [] : [`${AGENT_VARIABLE}=${agent.target}`]),
      ],
      proxyEnv: proxyEnv(globals.buildArgs),
      cwd: resolvePath('/', workingDirectory(state)),
      user: state.config.User ?? '',
      hostname: globals.buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') || DEFAULT_HOSTNAME,
      network: networkOf(instruction, plan, steps),
      security: securityOf(instruction, steps),
      settings: steps,
    },
  })
  return addHistory(state, history.run(args, declaredArgs(state)), id)
}

/** The variables of the step, with stars for those that will hold secrets. */
function shownScope({ scope }: StageState, mounts: readonly PlannedMount[]): ExpandScope {
  const secrets = mounts.flatMap((mount) =>
    mount.kind === 'secret' && mount.env !== undefined ? [[mount.env, '****'] as const] : [],
  )
  if (secrets.length === 0) return scope
  const { variables, escape: mark } = scope
  return { variables: new Map([...variables, ...secrets]), escape: mark }
}

/** As the process sees them: an ENV of the same name wins, wherever it stands. */
function declaredArgs({ scope: { args, variables } }: StageState): readonly string[] {
  return Array.from(args, ([key, value]) => `${key}=${variables.get(key) ?? value}`)
}

interface CommandPlan {
  readonly args: readonly string[]
  readonly label: string
  /** The program that the arguments name. */
  readonly script?: ScriptMountPlan
}

/** The first line of a document. */
function summaryOf(content: string): string {
  const [first = '', ...others] = content.trim().split(/\r?\n/)
  return others.length === 0 ? first : `${first}...`
}

/**
 * The process' arguments. A heredoc that is the whole command is the script itself; any other is
 * handed to the shell as it was written.
 */
function commandOf(state: StageState, instruction: RunInstruction): CommandPlan {
  const { command, heredocs, text, range } = instruction
  if (command.form === 'exec' && command.args.length === 0) {
    throw new SourceError('RUN requires at least one argument', {
      code: 'DOCKERFILE_INVALID',
      ranges: [range],
      hint: 'name the program to run, or remove the instruction',
    })
  }
  const [only, ...others] = heredocs
  if (command.form === 'exec' || only === undefined) {
    return { args: wrapCommand(state, command), label: text }
  }
  const label = `${text} (${summaryOf(only.content)})`
  const isWhole = others.length === 0 && parseHeredocWord(command.script) !== undefined
  if (!isWhole) {
    const bodies = heredocs.map(({ name, content }) => `${content}${name}`)
    return { args: [...shellOf(state), [command.script, ...bodies].join('\n')], label }
  }
  const script = heredocBody(only)
  if (script.startsWith('#!')) {
    const target = `/dev/pipes/${only.name}`
    const args = [...shellOf(state), target]
    return { args, label, script: { kind: 'script', target, content: script } }
  }
  return { args: [...shellOf(state), script], label }
}

function networkOf(
  { network, range }: RunInstruction,
  { options }: StagePlan,
  { allow }: StepSettings,
): PlannedProcess['network'] {
  const wanted = network ?? options.network
  const isAllowed = options.network === 'host' || allow.includes('network.host')
  if (wanted === 'host' && !isAllowed) throw entitlementError('network.host', range)
  return wanted
}

function securityOf(
  { security = 'sandbox', range }: RunInstruction,
  { allow }: StepSettings,
): PlannedProcess['security'] {
  if (security === 'insecure' && !allow.includes('security.insecure')) {
    throw entitlementError('security.insecure', range)
  }
  return security
}

function entitlementError(entitlement: Entitlement, range: SourceRange): SourceError {
  return new SourceError(`${entitlement} is not allowed`, {
    code: 'PERMISSION_DENIED',
    ranges: [range],
    hint: `a Dockerfile cannot take this right by itself: grant it with --allow ${entitlement}`,
  })
}
