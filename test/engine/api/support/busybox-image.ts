import { run, temporaryDirectory } from '../../../support/peers/index.ts'

/** Busybox with its most usual commands, and a user. */
const ROOT = `
mkdir -p root/bin root/etc root/tmp root/data; cp /bin/busybox root/bin/busybox
for applet in sh cat ls mv ln rm mkdir sleep echo chmod; do ln -s busybox root/bin/$applet; done
echo 'root:x:0:0:root:/:/bin/sh' > root/etc/passwd; echo 'user:x:1000:1001:u:/:/bin/sh' >> root/etc/passwd
`

/**
 * Gives an engine an image.
 * @param name of the image
 * @param more shell commands that add to `root`
 */
export async function importBusybox(engine: string, name: string, more = ''): Promise<void> {
  using folder = temporaryDirectory('busybox-image')
  const tar = 'tar --numeric-owner -cf image.tar -C root .'
  await run('sh', ['-ec', `${ROOT}${more}\n${tar}`], { cwd: folder.path })
  await run('/usr/bin/docker', ['import', folder.file('image.tar'), name], {
    env: { DOCKER_HOST: `unix://${engine}` },
  })
}
