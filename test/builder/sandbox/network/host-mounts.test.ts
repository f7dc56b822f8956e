import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

/** As systemd leaves a machine: a mount below another one, both of which pass on what happens to them. */
const SCRIPT = `
mkdir "$1" && mount -t tmpfs outer "$1" && mkdir "$1/inner" && mount -t tmpfs inner "$1/inner"
shift
mount --bind /proc/sys /proc/sys && mount -o "remount,bind,$1" /proc/sys
shift
before=$(cat /proc/self/mountinfo)
"$@"
test "$before" = "$(cat /proc/self/mountinfo)" && echo the same mounts
`

describe('sandbox: mounts of a host that shares them', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  for (const [network, access, way] of [
    ['default', 'rw', 'of a hub'],
    ['default', 'ro', 'of a program, where nothing is forwarded for a hub'],
    ['none', 'rw', 'none'],
    ['host', 'rw', 'of the host'],
  ] as const) {
    it(`stay what they are after a step with the network ${way}`, () => {
      const temporary = `${fixture.directory}/temporary`
      const specs = [fixture.spec(['echo', 'ran'], { network })]
      const builder = [process.execPath, BUILDER, JSON.stringify({ temporary, specs })]
      const namespace = ['--mount', '--propagation', 'shared', 'sh', '-c', SCRIPT, 'sh']
      const args = [...namespace, `${fixture.directory}/${network}-${access}`, access, ...builder]
      const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
      assert.equal(stdout, 'ran\nthe same mounts\n', stderr)
    })
  }
})
