import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { busyboxBase, run, startDaemon, type TemporaryDirectory } from '../peers/index.ts'
import { startGitServer } from '../servers/index.ts'
import { makeRepositories } from './git-repositories.ts'
import { DATED_DIGEST, startWebSite } from './web-site.ts'

/** What a case can reach beside its context. */
export interface Surroundings extends AsyncDisposable {
  /** Puts addresses and paths in the place of `{WEB}` and the other names of the tables. */
  place(text: string): string
}

/** @param directory where everything is made */
export async function startSurroundings(directory: TemporaryDirectory): Promise<Surroundings> {
  await using resources = new AsyncDisposableStack()
  const web = resources.use(await startWebSite())
  const served = directory.file('served')
  const commits = await makeRepositories(served)
  const git = resources.use(await startGitServer(served))
  const agent = directory.file('agent')
  resources.use(await startAgent(agent, directory))
  const tools = directory.file('tools')
  copyProgram('/usr/bin/ssh-add', tools)
  const names: Readonly<Record<string, string>> = {
    WEB: web.origin,
    GIT: git.origin,
    AGENT: agent,
    TOOLS: tools,
    DATED: DATED_DIGEST,
    BUSYBOX: await busyboxBase(),
    ...commits,
  }
  const kept = resources.move()
  return {
    place: (text) => text.replace(/\{([A-Z]+)\}/g, (whole, name: string) => names[name] ?? whole),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  }
}

/** An ssh-agent with one key. */
async function startAgent(socket: string, directory: TemporaryDirectory): Promise<AsyncDisposable> {
  // Debian's is setgid, so it would not end with the process that started it.
  const program = directory.file('ssh-agent')
  copyFileSync('/usr/bin/ssh-agent', program)
  chmodSync(program, 0o755)
  const daemon = await startDaemon(program, ['-D', '-a', socket], {
    log: directory.file('agent.log'),
    ready: () => (existsSync(socket) ? socket : undefined),
  })
  const key = directory.file('key')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'of the agent', '-f', key])
  await run('ssh-add', ['-q', key], { env: { SSH_AUTH_SOCK: socket } })
  return daemon
}

/** Copies a program of this machine into a folder, with its libraries. */
function copyProgram(program: string, folder: string): void {
  const libraries =
    execFileSync('ldd', [program])
      .toString()
      .match(/\/\S+(?= \(0x)/g) ?? []
  mkdirSync(folder)
  for (const path of [program, ...libraries]) copyFileSync(path, join(folder, basename(path)))
}
