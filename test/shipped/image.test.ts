import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ImageContexts } from '../../shipped/image/build-image.ts'
import {
  type Dockerd,
  readImage,
  run,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { commitFiles, startGitServer } from '../support/servers/index.ts'
import { buildArchive, imageContexts, UnpackedImage } from './built-image.ts'

const MEGABYTE = 1e6

describe('the image tsbuild', function () {
  this.timeout(240_000)
  let directory: TemporaryDirectory
  let contexts: ImageContexts
  let archive: string

  before(async () => {
    directory = temporaryDirectory('image', 0o755)
    contexts = await imageContexts(directory)
    archive = directory.file('image.tar')
    await buildArchive(contexts, { store: directory.file('store'), archive })
  })
  after(() => directory[Symbol.dispose]())

  it('is below 155 MB', () => {
    const { size } = statSync(archive)
    assert.ok(size > 100 * MEGABYTE, `${size} bytes`)
    assert.ok(size < 155 * MEGABYTE, `${size} bytes`)
  })

  it('is the same wherever it is built', async () => {
    const again = directory.file('again.tar')
    await buildArchive(contexts, { store: directory.file('other-store'), archive: again })
    assert.ok(readFileSync(again).equals(readFileSync(archive)))
  })

  it('is read by skopeo as an archive of docker and of OCI', async () => {
    for (const type of ['docker-archive', 'oci-archive']) {
      const { stdout } = await run('skopeo', ['inspect', '--config', `${type}:${archive}`])
      const { config } = JSON.parse(stdout)
      assert.deepEqual(config.Entrypoint, ['/tsbuild/bin/tsbuild'], type)
      assert.ok('/var/lib/tsbuild' in config.Volumes)
    }
  })

  it('has another entry point for pods that ran kaniko', async () => {
    const other = directory.file('kaniko.tar')
    const store = directory.file('store')
    await buildArchive(contexts, { store, archive: other, target: 'kaniko' })
    const { stdout } = await run('skopeo', ['inspect', '--config', `docker-archive:${other}`])
    assert.deepEqual(JSON.parse(stdout).config.Entrypoint, ['/kaniko/executor'])
  })

  describe('under docker', () => {
    let daemon: Dockerd

    before(async () => {
      daemon = await startDockerd()
      await daemon.docker(['load', '-i', archive])
    })
    after(() => daemon[Symbol.asyncDispose]())

    it('builds as any user', async () => {
      const context = directory.file('docker')
      mkdirSync(context)
      writeFileSync(`${context}/Dockerfile`, 'FROM scratch\nCOPY Dockerfile /\n')
      const start = ['run', '--rm', '--network=none', '--read-only', '--cap-drop=ALL']
      for (const user of ['0:0', '1000:1000', '123456:0']) {
        const named = [...start, '-v', `${context}:/tsbuild/context:ro`, '--user', user, 'tsbuild']
        const version = await daemon.docker([...named, '--version'])
        assert.match(version.stdout, /^tsbuild \d+\.\d+\.\d+ \(node v24\./)
        const built = await daemon.docker([...named, '-o', 'type=tar', '.'])
        assert.match(built.stdout, /^Dockerfile\0/)
      }
    })

    it('goes on when steps have replaced its root', async () => {
      const context = directory.file('steps')
      mkdirSync(context)
      cpSync('/bin/busybox', `${context}/busybox`)
      await commitFiles(directory.file('repositories/r'), { file: 'of the repository' })
      await using server = await startGitServer(directory.file('repositories'))
      const dockerfile = [
        'FROM scratch AS base',
        'COPY --chmod=755 busybox /bin/busybox',
        'RUN ["busybox", "--install", "-s", "/bin"]',
        'RUN ls / /tsbuild > /seen 2>&1 || true',
        'FROM base AS added',
        `ADD ${server.origin}/r/.git /added`,
        'RUN test -e /seen && ls /added > /listed',
        'FROM scratch',
        'COPY --from=added /listed /added/file /',
      ]
      writeFileSync(`${context}/Dockerfile`, dockerfile.join('\n'))
      const script =
        '/kaniko/executor --context=. --no-push --tar-path=/tsbuild/context/image.tar && ls -l / && git --version'
      const shell = ['--entrypoint', 'sh', 'tsbuild', '-c', script]
      const mount = ['-v', `${context}:/tsbuild/context`]
      const outcome = await daemon.docker(['run', '--rm', '--network=host', ...mount, ...shell])
      assert.match(outcome.stderr, /run in place/)
      assert.match(outcome.stdout, / seen$/m, 'the root is that of the last stage with steps')
      assert.match(outcome.stdout, /^git version/m)
      const layout = `oci:${directory.file('steps-layout')}`
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        `docker-archive:${context}/image.tar`,
        layout,
      ])
      const { tree } = await readImage(layout, directory.path, 'steps-image')
      assert.deepEqual([...tree.keys()], ['/', '/file', '/listed'])
    })
  })

  describe('when only its own files are left in the root', () => {
    let image: UnpackedImage
    let work: string

    before(async () => {
      image = await UnpackedImage.unpack(archive, directory)
      image.leaveOwnFiles()
      work = directory.file('work')
      mkdirSync(work)
      chmodSync(work, 0o777)
      writeFileSync(`${work}/Dockerfile`, 'FROM scratch\nCOPY Dockerfile /\n')
    })

    const mounts = () => ({ '/work': work })

    it('runs', async () => {
      const { stdout, stderr } = await image.run({ args: ['/tsbuild/bin/tsbuild', '--version'] })
      assert.match(stdout, /^tsbuild \d/, stderr)
    })

    it('uses no library of the root', async () => {
      for (const program of ['git --version', 'ssh -V', 'node -p 1', 'git remote-https']) {
        const args = ['/busybox/sh', '-c', `LD_DEBUG=files ${program} 2>&1`]
        const { stdout } = await image.run({ args })
        const libraries = [...stdout.matchAll(/calling init: (\S+)/g)].map(([, path]) => path)
        assert.ok(libraries.length > 2, stdout)
        for (const path of libraries) assert.match(path ?? '', /^\/tsbuild\/lib\//, program)
      }
    })

    it('builds', async () => {
      const args = ['/tsbuild/bin/tsbuild', '--root', '/work/store', '-o', '/work/out', '/work']
      const { status, stderr } = await image.run({ args, mounts: mounts() })
      assert.equal(status, 0, stderr)
      assert.match(readFileSync(`${work}/out/Dockerfile`, 'utf8'), /^FROM scratch/)
    })

    it('builds a repository with a submodule', async () => {
      const inner = directory.file('git/inner')
      const outer = directory.file('git/outer')
      await commitFiles(inner, { file: 'of the submodule' })
      await commitFiles(outer, { Dockerfile: 'FROM scratch\nCOPY . /\n' })
      await using server = await startGitServer(directory.file('git'))
      const url = `${server.origin}/inner/.git`
      await run('git', ['-C', outer, 'submodule', '--quiet', 'add', url, 'inner'])
      await commitFiles(outer, { more: '' })
      const args = ['/tsbuild/bin/tsbuild', '--root', '/work/store', '-o', '/work/git']
      const { status, stderr } = await image.run({
        args: [...args, `${server.origin}/outer/.git`],
        mounts: mounts(),
      })
      assert.equal(status, 0, stderr)
      assert.equal(readFileSync(`${work}/git/inner/file`, 'utf8'), 'of the submodule')
    })

    it('takes the flags of kaniko as /kaniko/executor', async () => {
      const args = ['/kaniko/executor', '--context=dir:///work', '--no-push', '--cleanup']
      const { status, stderr } = await image.run({
        args: [...args, '--tar-path=/work/kaniko.tar'],
        env: { TSBUILD_ROOT: '/work/store' },
        mounts: mounts(),
      })
      assert.equal(status, 0, stderr)
      assert.match(stderr, /--cleanup has no effect/)
      await run('skopeo', ['inspect', `docker-archive:${work}/kaniko.tar`])
    })
  })
})
