import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import {
  capture,
  createUser,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { installedFor } from '../support/installed.ts'
import { HERE, tsbuild } from '../support/tsbuild.ts'

describe('standard input', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('stdin')
    writeContext(directory.file('context'), { a: 'A', Dockerfile: 'FROM scratch\nCOPY a /x\n' })
    mkdirSync(directory.file('out'))
  })
  afterEach(() => directory[Symbol.dispose]())

  const output = (): readonly string[] => ['-o', directory.file('out')]
  const built = (): readonly string[] => readdirSync(directory.file('out')).sort()
  const start = (input?: string) => ({
    root: directory.file('store'),
    ...(input === undefined ? {} : { input }),
  })

  it('is a Dockerfile without a context', async () => {
    const input = 'FROM scratch\nCOPY <<end /y\ntext\nend\n'
    const { status, stderr } = await tsbuild([...output(), '-'], start(input))
    assert.equal(status, 0, stderr)
    assert.deepEqual(built(), ['y'])
  })

  it('is a Dockerfile for a folder with -f -', async () => {
    const args = [...output(), '-f', '-', directory.file('context')]
    const { status, stderr } = await tsbuild(args, start('FROM scratch\nCOPY a /z\n'))
    assert.equal(status, 0, stderr)
    assert.deepEqual(built(), ['z'])
  })

  it('reaches the build of an ordinary user, too', async () => {
    await using user = await createUser()
    using installed = await installedFor(user)
    const { status, stderr } = await tsbuild(['-o', `${user.home}/out`, '-'], {
      root: `${user.home}/store`,
      cwd: user.home,
      env: { HOME: user.home },
      prefix: user.prefix,
      installed,
      input: 'FROM scratch\nCOPY <<end /y\ntext\nend\n',
    })
    assert.equal(status, 0, stderr)
    assert.equal(readFileSync(`${user.home}/out/y`, 'utf8'), 'text\n')
  })

  it('may have other pipes beside it that the command line names', async () => {
    await using user = await createUser()
    using installed = await installedFor(user)
    const text = "<(echo FROM scratch; echo 'COPY <<e /y'; echo text; echo e)"
    for (const [out, pipe] of [
      ['one', `-f ${text}`],
      ['low', `-f /dev/fd/3 3< ${text}`],
    ] as const) {
      const script = `"$@" -o ${user.home}/${out} ${user.home} ${pipe}`
      const shell = ['bash', '-c', script, 'bash', ...installed.command]
      const [command = '', ...words] = [...user.prefix, ...shell]
      const env = { HOME: user.home, TSBUILD_ROOT: `${user.home}/store` }
      const { status, stderr } = await capture(command, words, { env })
      assert.equal(status, 0, stderr)
      assert.equal(readFileSync(`${user.home}/${out}/y`, 'utf8'), 'text\n')
    }
  })

  it('is a packed archive through a pipe', async () => {
    const build = `"$@" -o ${directory.file('out')} -`
    const script = `tar -C ${directory.file('context')} -cz . | ${build}`
    const home = { HOME: directory.path, TSBUILD_ROOT: directory.file('store') }
    const env = { ...home, BUILDKIT_PROGRESS: 'plain' }
    const { status, stderr } = await capture('sh', ['-c', script, 'sh', ...HERE.command], { env })
    assert.equal(status, 0, stderr)
    assert.match(stderr, /\[internal\] load build context/)
    assert.equal(readFileSync(directory.file('out/x'), 'utf8'), 'A')
  })
})
