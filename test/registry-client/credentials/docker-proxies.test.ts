import assert from 'node:assert/strict'
import { dockerProxies } from '#registry-client'
import { useDockerHome } from './docker-home.ts'

describe('proxies of docker’s config.json', () => {
  const home = useDockerHome()

  it('are build arguments: those of the daemon, else the default ones', () => {
    assert.deepEqual(dockerProxies(home.file), {})
    home.writeConfig({ auths: {} })
    assert.deepEqual(dockerProxies(home.file), {})
    const tcp = { httpProxy: 'http://d:1', noProxy: '' }
    const all = {
      httpProxy: 'http://a:1',
      httpsProxy: 'b',
      ftpProxy: 'c',
      noProxy: 'd',
      allProxy: 'e',
    }
    home.writeConfig({ proxies: { default: all, 'tcp://d:2375': tcp } })
    const expected = {
      HTTP_PROXY: 'http://a:1',
      HTTPS_PROXY: 'b',
      FTP_PROXY: 'c',
      NO_PROXY: 'd',
      ALL_PROXY: 'e',
    }
    assert.deepEqual(dockerProxies(home.file), expected)
    assert.deepEqual(dockerProxies(home.file, { daemon: 'unix:///run/docker.sock' }), expected)
    assert.deepEqual(dockerProxies(home.file, { daemon: 'tcp://d:2375' }), {
      HTTP_PROXY: 'http://d:1',
    })
  })

  it('are an error that does not show them when they are damaged', () => {
    home.writeConfig({ proxies: { default: { httpProxy: ['http://me:hush@p'] } } })
    assert.throws(
      () => dockerProxies(home.file),
      (error: Error & { code?: string }) =>
        error.code === 'CONFIG_INVALID' && !error.message.includes('hush'),
    )
  })
})
