/**
 * Makes a root file system in memory for a script that may destroy it, enters it, and becomes that script.
 * To be started in a mount namespace of its own.
 */
import { chmodSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MS, mount, O_PATH, pivotRoot } from '#builder/linux'

const DOCKER = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['net_bind_service', 'net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'],
]
/** The folder of package.json. */
const PACKAGE = fileURLToPath(new URL('../../../../../../', import.meta.url)).replace(/\/$/, '')
/** An existing directory, whose mount hides nothing that is needed. */
const BASE = '/mnt'

const [without = '', script = '', ...args] = process.argv.slice(2)
makeRoot()
const [root, old] = [openSync(BASE, O_PATH), openSync('/', O_PATH)]
pivotRoot(root, old)
const kept = DOCKER.filter((name) => !without.split(',').includes(name))
const bounds = ['-all', ...kept.map((name) => `+${name}`)].join(',')
process.execve?.(
  '/usr/bin/setpriv',
  [
    'setpriv',
    '--inh-caps=-all',
    `--bounding-set=${bounds}`,
    '--',
    process.execPath,
    script,
    ...args,
  ],
  { PATH: '/bin', HOME: '/root' },
)

function makeRoot(): void {
  mount(BASE, { type: 'tmpfs', data: 'mode=755' })
  for (const folder of ['etc', 'root', 'tmp', 'var/lib'])
    mkdirSync(`${BASE}/${folder}`, { recursive: true })
  // The libraries of Node are in the way of the first stage, and gone with it.
  show('/usr', `${BASE}/host/usr`)
  for (const name of ['usr', 'usr/bin', 'usr/lib', 'usr/lib64']) {
    symlinkSync(`host/${name}`, `${BASE}/${name.split('/').at(-1)}`)
  }
  show(PACKAGE, `${BASE}${PACKAGE}`)
  for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty']) {
    makeFile(`${BASE}/dev/${name}`)
    mount(`${BASE}/dev/${name}`, { source: `/dev/${name}`, flags: MS.BIND })
  }
  symlinkSync('/proc/self/fd', `${BASE}/dev/fd`)
  for (const [index, name] of ['stdin', 'stdout', 'stderr'].entries()) {
    symlinkSync(`/proc/self/fd/${index}`, `${BASE}/dev/${name}`)
  }
  for (const name of ['dev/shm', 'tmp', 'volume']) {
    mkdirSync(`${BASE}/${name}`, { recursive: true })
    mount(`${BASE}/${name}`, { type: 'tmpfs', flags: MS.NOSUID | MS.NODEV, data: 'mode=1777' })
  }
  mkdirSync(`${BASE}/proc`)
  mount(`${BASE}/proc`, { type: 'proc' })
  for (const name of ['hosts', 'resolv.conf', 'hostname']) {
    makeFile(`${BASE}/tmp/${name}`)
    makeFile(`${BASE}/etc/${name}`)
    mount(`${BASE}/etc/${name}`, { source: `${BASE}/tmp/${name}`, flags: MS.BIND })
  }
  writeFileSync(`${BASE}/etc/hosts`, '127.0.0.1\tlocalhost\n')
  makeFile(`${BASE}/.dockerenv`)
  chmodSync(BASE, 0o755)
}

function show(source: string, target: string): void {
  mkdirSync(target, { recursive: true })
  mount(target, { source, flags: MS.BIND | MS.REC })
}

function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}
