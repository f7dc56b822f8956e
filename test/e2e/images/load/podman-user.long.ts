import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createUser, run } from '../../../support/peers/index.ts'
import { writeContext } from '../../support/context.ts'
import { installedFor } from '../../support/installed.ts'
import { mustBuild } from '../../support/tsbuild.ts'

describe('--load into podman without root', function () {
  this.timeout(120_000)

  it("gives an ordinary user's podman the image, which that user has then", async function () {
    if (process.getuid?.() !== 0) this.skip()
    await using user = await createUser()
    await using installed = await installedFor(user)
    const settings = `${user.home}/.config/containers/storage.conf`
    mkdirSync(dirname(settings), { recursive: true })
    writeFileSync(settings, '[storage]\ndriver = "vfs"\n')
    const context = `${user.home}/context`
    writeContext(context, { Dockerfile: 'FROM scratch\nCOPY note /\n', note: 'mine\n' })
    await run('chown', ['-R', user.name, user.home])
    const own = { HOME: user.home, XDG_RUNTIME_DIR: `${user.home}/run` }
    const as = (args: readonly string[]) => {
      const [command = '', ...words] = [...user.prefix, ...args]
      return run(command, words, { env: own, cwd: user.home })
    }
    await as(['mkdir', '-m', '700', own.XDG_RUNTIME_DIR])
    const { prefix, home } = user
    const start = { root: `${home}/store`, cwd: home, env: own, prefix, installed }
    await mustBuild(['-t', 'mine:1', '--load-into', 'podman', context], start)
    const { stdout } = await as(['podman', 'images', '--format', '{{.Repository}}:{{.Tag}}'])
    assert.equal(stdout, 'docker.io/library/mine:1\n')
    // It leaves a process that holds its namespaces.
    await as(['podman', 'system', 'migrate'])
    await as(['podman', 'unshare', 'rm', '-rf', `${home}/.local`])
    await as(['podman', 'system', 'migrate'])
  })
})
