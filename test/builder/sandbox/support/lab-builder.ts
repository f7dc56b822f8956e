import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SandboxFixture, StepOverrides } from '../../../suites/sandbox/fixture.ts'
import type { Lab } from '../../../support/networks/index.ts'
import { capture, type Outcome } from '../../../support/peers/index.ts'

const BUILDER = fileURLToPath(new URL('./builder-process.js', import.meta.url))

/** The machine that a builder runs on in the lab. */
export interface LabMachine {
  /** Absent: root. */
  readonly user?: string
  /** Programs of /usr/bin that are not installed there. */
  readonly without?: readonly string[]
  /** Of /dev/net/tun; default: as on most machines. */
  readonly tunnelMode?: string
  readonly resolvConf: string
  readonly isStrict?: boolean
  /** Whether the builder ends, without a chance to clean up, when the step says something. */
  readonly endsEarly?: boolean
}

/** What a machine has otherwise than the one of the test, in a mount namespace that ends with the builder. */
const MACHINE = `
  scratch=$0 mode=$1 without=$2; shift 2
  mount -t tmpfs none "$scratch"
  cp "$scratch.conf" "$scratch/resolv.conf"
  mount --bind "$scratch/resolv.conf" /etc/resolv.conf
  mknod "$scratch/tun" c 10 200
  chmod "$mode" "$scratch/tun"
  mount --bind "$scratch/tun" /dev/net/tun
  mkdir "$scratch/upper" "$scratch/work"
  mount -t overlay none -o "lowerdir=/usr/bin,upperdir=$scratch/upper,workdir=$scratch/work" /usr/bin
  for name in $without; do rm "/usr/bin/$name"; done
  shift
  exec "$@"
`

/** Runs a script as a step of a builder on the host of a lab. Notices are in its errors. */
export async function buildInLab(
  lab: Lab,
  fixture: SandboxFixture,
  script: string,
  { machine, overrides = {} }: { readonly machine: LabMachine; readonly overrides?: StepOverrides },
): Promise<Outcome> {
  const {
    user,
    without = [],
    tunnelMode = '666',
    resolvConf,
    isStrict = false,
    endsEarly = false,
  } = machine
  const specs = [fixture.spec(['sh', '-c', script], { network: 'default', ...overrides })]
  const owner = user ?? 'root'
  spawnSync('chown', ['-R', '-h', `${owner}:`, fixture.directory])
  chmodSync(fixture.directory, 0o755)
  const scratch = lab.directory.file('machine')
  spawnSync('mkdir', ['-p', scratch])
  writeFileSync(`${scratch}.conf`, resolvConf)
  const temporary = `${fixture.directory}/temporary`
  const document = JSON.stringify({
    ...{ temporary, specs, isStrict, notices: true },
    killedOnOutput: endsEarly,
  })
  const become =
    user === undefined
      ? []
      : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--']
  return await capture('nsenter', [
    ...[`--net=${lab.path('host')}`, 'unshare', '--mount', 'sh', '-ec', MACHINE],
    ...[
      scratch,
      tunnelMode,
      without.join(' '),
      '--',
      ...become,
      process.execPath,
      BUILDER,
      document,
    ],
  ])
}
