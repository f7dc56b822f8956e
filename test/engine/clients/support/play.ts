import { chmodSync, mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { CLEAN_ENVIRONMENT, capture, type Outcome } from '../../../support/peers/index.ts'
import type { Engine } from './engine.ts'
import { linesOf } from './flatten.ts'
import { Placeholders } from './placeholders.ts'
import type { Said } from './said.ts'
import { type Awaiting, type Dialogue, type Session, type Step, titleOf } from './session.ts'
import { Terminal } from './terminal.ts'

/** A docker client. */
export interface Client {
  /** As `fixtures/engine/differences.txt` has it. */
  readonly name: string
  /** The folder with its programs, before those of the machine. */
  readonly folder?: string
}

/** Seconds for one step; all its processes end then. */
const PATIENCE = 20

/** Plays a session on an engine, which has no more than it had before when it ends. */
export async function play(
  session: Session,
  engine: Engine,
  client: Client,
): Promise<readonly Said[]> {
  const work = engine.site.directory.file(`work-${session.name}`)
  mkdirSync(work)
  // A user's engine writes into it, too.
  chmodSync(work, 0o777)
  const shell = shellAt(engine, client, work)
  const placeholders = new Placeholders({
    [work]: 'work',
    [engine.folder]: 'engine',
    [engine.site.directory.path]: 'site',
  })
  const said: Said[] = []
  for (const step of session.steps) {
    placeholders.next()
    const lines = await perform(step, shell)
    said.push({ title: titleOf(step), lines: lines.map((line) => placeholders.put(line)) })
  }
  await run(RESET, shell)
  return said
}

type Words = [command: string, words: readonly string[]]

/** Bash in a folder, in the network of an engine. */
interface Shell {
  words(script: string): Words
  readonly options: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
  }
}

function shellAt(engine: Engine, client: Client, cwd: string): Shell {
  const [command = '', ...rest] = engine.site.enter
  return {
    words: (script) => [command, [...rest, 'bash', '-o', 'pipefail', '-c', script]],
    options: {
      cwd,
      env: {
        PATH: `${client.folder === undefined ? '' : `${client.folder}:`}${CLEAN_ENVIRONMENT.PATH}`,
        HOME: cwd,
        DOCKER_HOST: `unix://${engine.socket}`,
        DOCKER_CONFIG: engine.site.directory.file('client'),
        DOCKER_BUILDKIT: '0',
        TERM: 'xterm',
        SHELL: '/bin/bash',
      },
    },
  }
}

async function run(script: string, shell: Shell): Promise<Outcome> {
  const [command, words] = shell.words(script)
  return await capture('timeout', ['-s', 'KILL', `${PATIENCE}`, command, ...words], shell.options)
}

async function perform(step: Step, shell: Shell): Promise<readonly string[]> {
  if (typeof step === 'string') {
    return linesOfOutcome(await run(step, shell))
  }
  return 'terminal' in step ? await hold(step, shell) : await awaitOutput(step, shell)
}

/** The client logs it, or ends before: a start has failed while it awaited the container. */
const CLIENTS_RACE = /error waiting for container: context canceled/

function linesOfOutcome({ stdout, stderr, status, signal }: Outcome): readonly string[] {
  return [
    ...linesOf(stdout),
    ...(stderr === '' ? [] : stderr.trimEnd().split('\n'))
      .filter((line) => !CLIENTS_RACE.test(line))
      .map((line) => `stderr: ${line}`),
    ...(status === 0 ? [] : [`exit: ${status ?? signal}`]),
  ]
}

async function hold(
  { terminal, dialogue, compares = 'all' }: Dialogue,
  shell: Shell,
): Promise<readonly string[]> {
  const [command, words] = shell.words(`stty rows 31 cols 97; ${terminal}; echo "exit: $?"`)
  await using session = new Terminal([command, ...words], shell.options)
  const missed: string[] = []
  for (const [shown, typed] of dialogue) {
    if (!(await session.shows(shown))) missed.push(`not shown: ${shown}`)
    session.type(typed)
  }
  if (!(await session.ends())) missed.push('does not end')
  const lines = session.seen.trimEnd().split('\n')
  return [...(compares === 'all' ? lines : lines.slice(-1)), ...missed]
}

async function awaitOutput({ until, shows }: Awaiting, shell: Shell): Promise<readonly string[]> {
  const deadline = performance.now() + PATIENCE * 1000
  let last = ''
  while (performance.now() < deadline) {
    const { stdout, stderr } = await run(until, shell)
    last = stdout + stderr
    if (shows.test(last)) return []
    await delay(50)
  }
  return [`not shown: ${shows}`, last.trim()]
}

/** Nothing that a session left is in the way of the next one. */
const RESET = `
docker ps -aq | xargs -r docker rm -fv
docker volume ls -q | xargs -r docker volume rm -f
docker network ls -q --filter type=custom | xargs -r docker network rm
docker images -a --format '{{.Repository}}:{{.Tag}} {{.ID}}' | while read -r name id; do
  case $name in
    busybox:latest | 127.0.0.1:5000/busybox:latest) ;;
    *none*) docker rmi -f "$id" ;;
    *) docker rmi -f "$name" ;;
  esac
done
docker builder prune -af > /dev/null
rm -rf "$HOME" "$DOCKER_CONFIG"
`
