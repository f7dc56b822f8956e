import { basename } from 'node:path'
import { usageError } from '#core'
import { type BuildRecord, readBuilds } from '#record'
import { type Arguments, expectArguments, formatOf } from '../../arguments/flags.ts'
import { openLocalStore } from '../../images/local-store.ts'
import { formatAge } from '../../terminal/age.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import { shortId } from '../../terminal/short-id.ts'
import { alignedTable } from '../../terminal/table.ts'
import { cleanLine, formatSeconds } from '../../terminal/text.ts'

/** `tsbuild builds` */
export async function runBuilds(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild builds [flags]' })
  const format = formatOf(args, ['table', 'json'])
  const matches = filterOf(args.list('filter'))
  await using store = openLocalStore(args, shell)
  const builds = readBuilds(store.builds).filter(matches)
  const text = format === 'json' ? jsonOf(builds) : tableOf(builds, Date.now())
  await print(shell, text)
  return 0
}

const FIELDS: Readonly<Record<string, (build: BuildRecord) => readonly (string | undefined)[]>> = {
  result: ({ outcome }) => [outcome],
  target: ({ target }) => [target],
  tag: ({ tags }) => tags,
  context: ({ context }) => [context],
  dockerfile: ({ dockerfile }) => [dockerfile],
}

/** All of them have to match. @throws {TsbuildError} USAGE */
function filterOf(filters: readonly string[]): (build: BuildRecord) => boolean {
  const tests = filters.map((filter) => {
    const at = filter.indexOf('=')
    const name = filter.slice(0, Math.max(at, 0))
    const fieldOf = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    if (fieldOf === undefined) {
      const hint = `write NAME=VALUE with one of ${Object.keys(FIELDS).join(', ')}`
      throw usageError(`unknown filter ${JSON.stringify(filter)}`, hint)
    }
    const value = filter.slice(at + 1)
    return (build: BuildRecord): boolean => fieldOf(build).includes(value)
  })
  return (build) => tests.every((test) => test(build))
}

function tableOf(builds: readonly BuildRecord[], now: number): string {
  const rows = builds.map((build) => [
    shortId(build.id),
    formatAge(build.startedAt, now),
    build.outcome,
    build.milliseconds === undefined ? '' : formatSeconds(build.milliseconds),
    stepsText(build),
    cleanLine(nameOf(build)),
  ])
  return alignedTable([['BUILD', 'STARTED', 'RESULT', 'TIME', 'STEPS', 'NAME'], ...rows])
}

function stepsText({ steps }: BuildRecord): string {
  const cached = steps.filter(({ end }) => end === 'cached').length
  return cached === 0 ? `${steps.length}` : `${steps.length}, ${cached} cached`
}

/** The first name of the image, else the folder; the stage that was asked for. */
function nameOf({ tags, context, target }: BuildRecord): string {
  const name = tags[0] ?? (basename(context) || context)
  return target === undefined ? name : `${name} (${target})`
}

function jsonOf(builds: readonly BuildRecord[]): string {
  const listed = builds.map(({ startedAt, outcome, steps, ...build }) => ({
    ...build,
    result: outcome,
    startedAt: new Date(startedAt).toISOString(),
    steps: steps.map(({ sandbox, ...step }) => ({ ...step, canDebug: sandbox !== undefined })),
  }))
  return `${JSON.stringify({ builds: listed }, undefined, 2)}\n`
}
