import type { Flag } from './flags.ts'

/** For commands that take one image of an index. */
export const PLATFORM: Flag = {
  name: 'platform',
  metavar: 'OS/ARCH',
  help: 'The image for this platform, where there are several (default: this machine)',
  group: 'Image',
}

/** For commands about signatures. */
export const SIGNED_ANNOTATION: Flag = {
  name: 'annotation',
  short: 'a',
  metavar: 'KEY=VALUE',
  repeat: true,
  help: 'Sign this, too',
  group: 'Signature',
}

/** For commands that show images of the store, and of registries. */
export const REMOTE: Flag = {
  name: 'remote',
  help: 'Ask the registry in the name, without pulling, instead of the local store',
  group: 'Image',
}
