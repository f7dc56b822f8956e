import { findPeers, run, temporaryDirectory, unpackPeers } from '../../../support/peers/index.ts'
import { dockerEngine } from './docker-engine.ts'
import { loadSuite } from './load-suite.ts'

const folder = findPeers()

// Today's docker keeps images in containerd's store.
if (folder !== undefined) {
  loadSuite("today's docker", async () => {
    const programs = await unpackPeers(folder)
    const directory = temporaryDirectory('dockerd')
    const address = directory.file('exec/containerd/containerd.sock')
    const content = ['--address', address, '--namespace', 'moby', 'content', 'rm']
    return await dockerEngine({ programs, directory }, async (diffId) => {
      await run(`${programs}/ctr`, [...content, diffId])
    })
  })
}
