import { isJsonObject, type Json } from '#core'
import type { Difference } from '../report/explanation.ts'
import {
  listOf,
  memberDifferences,
  memberOf,
  textOf,
  textsOf,
  toDifference,
  valueText,
} from './members.ts'
import { variableDifferences } from './variables.ts'

/** Of what a step is done with and on, which is compared apart from the step. */
const INPUTS: ReadonlySet<string> = new Set(['root', 'input'])

/** What members of the documents are called; others are called by their paths. */
const NAMES: Readonly<Record<string, string>> = {
  'process.user': 'user',
  'process.cwd': 'workdir',
  'process.hostname': 'hostname',
  'process.network': 'network',
  'process.security': 'security',
  'settings.extraHosts': 'extra hosts',
  'settings.shmSize': 'size of /dev/shm',
  'settings.ulimits': 'ulimits',
  'settings.cgroupParent': 'parent control group',
  latest: 'upper bound of times',
  madeAt: 'time of new files',
}

/** What members of an action of COPY, ADD or WORKDIR are called. */
const ACTION_NAMES: Readonly<Record<string, string>> = {
  paths: 'sources',
  source: 'source',
  'owner.user': 'owner',
  'owner.group': 'group of the owner',
  chmod: 'mode',
  data: 'heredoc',
  exclude: 'excluded',
}

/**
 * In which a step differs from another version of it, by the documents of their keys; what it is done on
 * and with (`root`, `input`) is not looked at.
 * @param isArgument whether a variable is a build argument
 */
export function stepDifferences(
  from: Json,
  to: Json,
  isArgument: (name: string) => boolean,
): readonly Difference[] {
  const [before, after] = [memberOf(from, 'process'), memberOf(to, 'process')]
  return [
    ...commandDifference(memberOf(before, 'args'), memberOf(after, 'args')),
    ...variableDifferences(memberOf(before, 'env'), memberOf(after, 'env'), isArgument),
    ...mountDifferences(listOf(memberOf(from, 'mounts')), listOf(memberOf(to, 'mounts'))),
    ...actionDifferences(listOf(memberOf(from, 'actions')), listOf(memberOf(to, 'actions'))),
    ...otherDifferences(from, to),
  ]
}

function* otherDifferences(from: Json, to: Json): Generator<Difference> {
  for (const found of memberDifferences(rest(from), rest(to))) {
    yield toDifference(found, { what: NAMES[found.path] ?? found.path })
  }
}

/** Without what is compared in its own way. */
function rest(document: Json): Json {
  if (!isJsonObject(document)) return document
  const kept = Object.entries(document).filter(
    ([name]) => !INPUTS.has(name) && name !== 'mounts' && name !== 'actions',
  )
  return Object.fromEntries(
    kept.map(([name, value]) => [name, name === 'process' ? withoutCommand(value) : value]),
  )
}

function withoutCommand(process: Json): Json {
  if (!isJsonObject(process)) return process
  return Object.fromEntries(
    Object.entries(process).filter(([name]) => name !== 'args' && name !== 'env'),
  )
}

/** Of a command that the same shell runs, only the script is said. */
function commandDifference(from: Json | undefined, to: Json | undefined): readonly Difference[] {
  const [before, after] = [textsOf(from), textsOf(to)]
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const isScript =
    before.length > 1 &&
    before.length === after.length &&
    before.slice(0, -1).every((word, index) => word === after[index])
  const texts = isScript ? [before.at(-1), after.at(-1)] : [before.join(' '), after.join(' ')]
  return [toDifference({ from: texts[0], to: texts[1] }, { what: 'command' })]
}

/** Mounts are the same when they have the same kind and the same target. */
function mountDifferences(from: readonly Json[], to: readonly Json[]): readonly Difference[] {
  const [before, after] = [byTarget(from), byTarget(to)]
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].flatMap((key) => mountDifference(before.get(key), after.get(key)))
}

function mountDifference(from: Json | undefined, to: Json | undefined): readonly Difference[] {
  const mount = to ?? from
  const name = targetOf(mount)
  const kind = textOf(memberOf(mount, 'kind'))
  if (from === undefined || to === undefined) {
    return [{ what: `${kind} mount`, name, change: from === undefined ? 'added' : 'removed' }]
  }
  // The index of its source says nothing: what it shows is compared as an input.
  return Array.from(memberDifferences(from, to))
    .filter(({ path }) => path !== 'source')
    .map((found) => toDifference(found, { what: `${found.path} of the ${kind} mount`, name }))
}

function byTarget(mounts: readonly Json[]): ReadonlyMap<string, Json> {
  return new Map(
    mounts.map((mount) => [`${textOf(memberOf(mount, 'kind'))} ${targetOf(mount)}`, mount]),
  )
}

/** A secret may be a variable only. */
function targetOf(mount: Json | undefined): string {
  return textOf(memberOf(mount, 'target')) || textOf(memberOf(mount, 'env'))
}

/** Actions are compared by their places: a COPY has one, and one for each heredoc. */
function actionDifferences(from: readonly Json[], to: readonly Json[]): readonly Difference[] {
  const places = Array.from({ length: Math.max(from.length, to.length) }, (_, index) => index)
  return places.flatMap((index) => {
    const [before, after] = [from[index], to[index]]
    const [old, now] = [memberOf(before, 'kind'), memberOf(after, 'kind')]
    if (old !== now)
      return [toDifference({ from: actionText(before), to: actionText(after) }, { what: 'action' })]
    return Array.from(memberDifferences(before, after)).map((found) =>
      toDifference(found, { what: ACTION_NAMES[found.path] ?? found.path }),
    )
  })
}

function actionText(action: Json | undefined): string | undefined {
  if (action === undefined) return undefined
  const what = memberOf(action, 'paths') ?? memberOf(action, 'name') ?? memberOf(action, 'path')
  return `${textOf(memberOf(action, 'kind'))} ${valueText(what) ?? ''}`
}
