/**
 * Makes a root file system in memory for a command that may destroy it, enters it, and becomes that
 * command. To be started in a mount namespace of its own.
 */
import { mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  MS,
  makeCallProgram,
  mount,
  O_PATH,
  type ProgramCall,
  pivotRoot,
  restrictMount,
} from '#builder/linux'
import { stepFilter } from '#builder/sandbox'
import { confine } from '../../../builder/sandbox/filter/confinement.ts'
import { STEP_CAPABILITIES } from '../../../builder/sandbox/filter/profile.ts'

/** Those that tests take away, by the kernel's numbers. */
const CAPABILITIES: Readonly<Record<string, number>> = {
  chown: 0,
  dac_override: 1,
  fowner: 3,
  fsetid: 4,
  kill: 5,
  setgid: 6,
  setuid: 7,
  setpcap: 8,
  mknod: 27,
  setfcap: 31,
}
const NO_CAPABILITY = 63
const PR_CAPBSET_DROP = 24

/** The folder of package.json. */
const PACKAGE = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '')
/** An existing directory, whose mount hides nothing that is needed. */
const BASE = '/mnt'

const [shown = '', without = '', ...command] = process.argv.slice(2)
makeRoot(shown.split(':').filter((path) => path !== ''))
const [root, old] = [openSync(BASE, O_PATH), openSync('/', O_PATH)]
pivotRoot(root, old)
const program = makeCallProgram(
  [
    ...without.split(',').map(drop),
    ...confine({
      filter: stepFilter(),
      user: { uid: 0, gid: 0, groups: [] },
      capabilities: STEP_CAPABILITIES,
    }),
    { call: 'execve', args: [command[0] ?? '', [...command, 0], [...environment(), 0]] },
  ],
  { report: 2 },
)
process.execve?.(`/proc/self/fd/${program}`, ['enter'], {})

/** Takes a capability away for good. */
function drop(name: string): ProgramCall {
  const number = CAPABILITIES[name] ?? NO_CAPABILITY
  return { call: 'prctl', args: [PR_CAPBSET_DROP, number, 0, 0, 0], optional: true }
}

function environment(): readonly string[] {
  const env = { ...process.env, PATH: '/bin', HOME: '/root' }
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

function makeRoot(paths: readonly string[]): void {
  mount(BASE, { type: 'tmpfs', data: 'mode=755' })
  for (const name of ['etc', 'root', 'tmp']) mkdirSync(`${BASE}/${name}`)
  // The libraries of Node are in the way of the first stage, and gone with it.
  show('/usr', `${BASE}/host/usr`)
  for (const name of ['usr', 'usr/bin', 'usr/lib', 'usr/lib64']) {
    symlinkSync(`host/${name}`, `${BASE}/${name.split('/').at(-1)}`)
  }
  makeDevices(`${BASE}/dev`)
  mkdirSync(`${BASE}/proc`)
  mount(`${BASE}/proc`, { type: 'proc' })
  for (const name of ['dev/shm', 'tmp', 'volume']) {
    mkdirSync(`${BASE}/${name}`, { recursive: true })
    // As much as docker gives.
    const data = name === 'dev/shm' ? 'mode=1777,size=64m' : 'mode=1777'
    mount(`${BASE}/${name}`, { type: 'tmpfs', flags: MS.NOSUID | MS.NODEV, data })
  }
  for (const name of ['hosts', 'resolv.conf', 'hostname']) {
    makeFile(`${BASE}/tmp/${name}`)
    makeFile(`${BASE}/etc/${name}`)
    mount(`${BASE}/etc/${name}`, { source: `${BASE}/tmp/${name}`, flags: MS.BIND })
  }
  writeFileSync(`${BASE}/etc/hosts`, '127.0.0.1\tlocalhost\n')
  makeFile(`${BASE}/.dockerenv`)
  for (const path of new Set([PACKAGE, ...paths])) show(path, `${BASE}${path}`)
}

function makeDevices(directory: string): void {
  for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty']) {
    makeFile(`${directory}/${name}`)
    mount(`${directory}/${name}`, { source: `/dev/${name}`, flags: MS.BIND })
  }
  mkdirSync(`${directory}/pts`)
  const flags = MS.NOSUID | MS.NOEXEC
  const data = 'newinstance,ptmxmode=0666,mode=0620,gid=5'
  mount(`${directory}/pts`, { type: 'devpts', flags, data })
  symlinkSync('pts/ptmx', `${directory}/ptmx`)
  symlinkSync('/proc/self/fd', `${directory}/fd`)
  for (const [index, name] of ['stdin', 'stdout', 'stderr'].entries()) {
    symlinkSync(`/proc/self/fd/${index}`, `${directory}/${name}`)
  }
}

/** What is shown is this machine's: nothing that a command does may change it. */
function show(source: string, target: string): void {
  mkdirSync(target, { recursive: true })
  mount(target, { source, flags: MS.BIND | MS.REC })
  restrictMount(target, { flags: MS.RDONLY, recursive: true })
}

function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}
