import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { capture, type TemporaryDirectory, temporaryDirectory } from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { HERE } from './support/tsbuild.ts'

const DOCKERFILE = `FROM scratch AS made
COPY --chmod=755 busybox /bin/busybox
COPY d /d
RUN ["/bin/busybox", "cp", "-r", "/d", "/e"]
RUN --mount=type=cache,target=/c ["/bin/busybox", "cp", "-r", "/d", "/c"]
FROM scratch
COPY --from=made /e /e
`

describe('a full disk', () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('full')
    const files = Array.from({ length: 40 }, (_, n) => [`d/f${n}`, randomBytes(20_000)] as const)
    const busybox = readFileSync('/bin/busybox')
    writeContext(directory.file('context'), {
      Dockerfile: DOCKERFILE,
      busybox,
      ...Object.fromEntries(files),
    })
    for (const name of ['home', 'small']) mkdirSync(directory.file(name))
  })
  after(() => directory[Symbol.dispose]())

  /** Builds in a mount namespace of its own, where `small` is a file system with these options. */
  async function build(options: string, flags: readonly string[]) {
    const command = [...HERE.command, '--progress', 'plain', ...flags, 'context']
    const script = `mount -t tmpfs -o ${options} none small; "$@"; code=$?; ls -A small >&3; exit $code`
    const args = ['-m', 'sh', '-c', `exec 3>&1; ${script}`, 'sh', ...command]
    return await capture('unshare', args, {
      cwd: directory.path,
      env: { HOME: directory.file('home') },
    })
  }

  const NO_SPACE = /^ERROR: .*no space left on device.* \(NO_SPACE\)\nhint: of .* are free/m
  const SIZES = [8, 60, 120, 300, 1500, 2000, 2300, 2600, 3000, 3400, 3800, 4200, 4800]

  for (const options of [
    ...SIZES.map((size) => `size=${size}k`),
    ...[5, 20, 35, 60, 100, 140].map((files) => `nr_inodes=${files}`),
  ]) {
    it(`of the store ends a build with a reason: ${options}`, async () => {
      const { status, stderr } = await build(options, ['--root', 'small/store'])
      assert.equal(status, 1, stderr)
      assert.doesNotMatch(stderr, /bug|suppressed/i)
      // A program that found no space says so itself.
      if (/\(STEP_FAILED\)$/m.test(stderr)) assert.match(stderr, /cp: .*No space left on device/)
      else {
        assert.match(stderr, NO_SPACE)
        assert.match(
          stderr,
          /on the file system of \S+small\/store .*the store there takes .*--root$/m,
        )
      }
    })
  }

  for (const flags of [
    ['-o', 'type=oci,dest=small/x.tar'],
    ['-o', 'type=docker,dest=small/x.tar'],
    ['-o', 'type=oci,tar=false,dest=small/x'],
    ['-o', 'type=tar,dest=small/x.tar'],
    ['-o', 'small/x'],
  ] as const) {
    it(`of a result names it, and a file leaves nothing there: ${flags.join(' ')}`, async () => {
      const { status, stdout, stderr } = await build('size=300k', ['--root', 'store', ...flags])
      assert.equal(status, 1, stderr)
      assert.match(stderr, NO_SPACE)
      assert.match(stderr, /on the file system of small\/x.* name another dest$/m)
      assert.equal(stdout, flags[1].endsWith('.tar') ? '' : 'x\n')
    })
  }

  it('is not what a large one is', async () => {
    const { status, stderr } = await build('size=20m', ['--root', 'small/store'])
    assert.equal(status, 0, stderr)
    assert.deepEqual(readdirSync(directory.file('small')), [])
  })
})
