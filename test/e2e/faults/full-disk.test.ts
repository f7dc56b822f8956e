import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import {
  capture,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE } from '../support/tsbuild.ts'

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

  /**
   * Builds in a mount namespace of its own, where `small` is a file system with these options. What `list`
   * prints in the end is the output.
   */
  async function build(
    options: string,
    flags: readonly string[],
    { context = 'context', list = 'ls -A small' } = {},
  ) {
    const command = [...HERE.command, '--progress', 'plain', ...flags, context]
    const script = `mount -t tmpfs -o ${options} none small; "$@"; code=$?; ${list} >&3; exit $code`
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
      assert.doesNotMatch(stderr, /\bbug|suppressed/i)
      // A program that found no space says so itself.
      if (/\(STEP_FAILED\)$/m.test(stderr)) {
        assert.match(stderr, /cp: .*No space left on device/)
        assert.match(
          stderr,
          /^hint: the step writes to the file system of \S+small\/store, which is full/m,
        )
      } else {
        assert.match(stderr, NO_SPACE)
        assert.match(
          stderr,
          /on the file system of \S+small\/store .*the store there takes .*--root$/m,
        )
      }
    })
  }

  it('in the memory of a step is told from one of the store', async () => {
    const words = (text: string): string => JSON.stringify(text.split(' '))
    const copy = words('/bin/busybox cp /bin/busybox /dev/shm/x')
    writeContext(directory.file('memory'), {
      Dockerfile: `FROM scratch\nCOPY --chmod=755 busybox /bin/busybox\nRUN ${copy}\n`,
      busybox: readFileSync('/bin/busybox'),
    })
    const flags = ['--root', 'small/store', '--shm-size', '64k']
    const { status, stderr } = await build('size=60m', flags, { context: 'memory' })
    assert.equal(status, 1, stderr)
    assert.match(stderr, /cp: .*No space left on device/)
    assert.match(
      stderr,
      /^hint: there is space on the file system of \S+small\/store: .*--shm-size/m,
    )
  })

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

  it('of the store leaves earlier images as they are, and a build succeeds once there is space', async () => {
    const flags = ['--root', 'small/store', '--progress', 'plain']
    const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ')
    const program = quote(HERE.command)
    const first = `${program} ${quote([...flags, '-t', 'first', 'first'])}`
    const second = `${program} ${quote([...flags, '-t', 'second', 'context'])}`
    const verify = `${program} store verify --root small/store`
    writeContext(directory.file('first'), {
      Dockerfile: 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY d /d\n',
      busybox: readFileSync('/bin/busybox'),
      'd/file': 'file',
    })
    const script = `
      mount -t tmpfs -o size=24m none small
      ${first} || exit 90
      for kilobytes in 0 20 60 150 400 1000 1800 2600 3200; do
        free=$(df -k --output=avail small | tail -n 1)
        head -c $(((free - kilobytes) * 1024)) /dev/zero > small/filler
        if ${second}; then echo "built with $kilobytes"; fi
        ${verify} || exit 91
        rm small/filler
        ${first} --output type=oci,dest=first-$kilobytes.tar || exit 92
      done
      ${second} || exit 93
      ${verify} || exit 94
      cmp first-0.tar first-3200.tar || exit 95`
    const { status, stdout, stderr } = await capture('unshare', ['-m', 'sh', '-c', script], {
      cwd: directory.path,
      env: { HOME: directory.file('home') },
    })
    assert.equal(status, 0, `${stdout}\n${stderr.slice(-3000)}`)
    assert.doesNotMatch(stdout, /DAMAGED|built with (0|20|60|150|400)\n/)
    const reasons = stderr.match(/^ERROR: .*\((NO_SPACE|STEP_FAILED)\)$/gm) ?? []
    assert.ok(reasons.length >= 5, stderr.slice(-3000))
    assert.doesNotMatch(stderr, /\bbug|suppressed/i)
  }).timeout(120_000)

  it('keeps no push from being packed, which takes none', async () => {
    await using registry = await startRegistry()
    const fill =
      '/bin/busybox dd if=/dev/zero of=/x bs=1M; /bin/busybox sleep 2; /bin/busybox rm /x'
    writeContext(directory.file('large'), {
      Dockerfile: `FROM scratch
COPY --chmod=755 busybox /bin/busybox
COPY random /
RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(fill)}]
`,
      busybox: readFileSync('/bin/busybox'),
      random: randomBytes(40 << 20),
    })
    const flags = ['--root', 'small/store', '--push', '-t', `${registry.host}/app`]
    const { status, stdout, stderr } = await build('size=280m', flags, {
      context: 'large',
      list: 'head -qc 2 small/store/blobs/sha256/* | od -An -tx1',
    })
    assert.equal(status, 0, stderr)
    assert.match(stderr, /No space left on device/)
    assert.match(stdout, /7b 22/, 'a manifest')
    assert.doesNotMatch(stdout, /1f 8b/, 'what was packed early did not fit')
  })

  it('is not what a large one is', async () => {
    const { status, stderr } = await build('size=20m', ['--root', 'small/store'])
    assert.equal(status, 0, stderr)
    assert.deepEqual(readdirSync(directory.file('small')), [])
  })
})
