import assert from 'node:assert/strict'
import { certificateFolders } from '../../../registry-client/certificates/certificate-folders.ts'

describe('folders of certificates', () => {
  it('are the user’s, then the machine’s', () => {
    const machine = ['/etc/docker/certs.d', '/etc/containers/certs.d']
    assert.deepEqual(certificateFolders({ HOME: '/home/me' }), [
      '/home/me/.config/docker/certs.d',
      '/home/me/.config/containers/certs.d',
      ...machine,
    ])
    assert.deepEqual(certificateFolders({ HOME: '/home/me', XDG_CONFIG_HOME: '/config' }), [
      '/config/docker/certs.d',
      '/config/containers/certs.d',
      ...machine,
    ])
    assert.deepEqual(certificateFolders({}), machine)
  })
})
