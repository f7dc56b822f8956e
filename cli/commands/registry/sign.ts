import { SENDING_FLAGS } from '../../arguments/common-flags.ts'
import { SIGNED_ANNOTATION } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild sign` */
export const SIGN: Command = {
  name: 'sign',
  summary: 'Sign an image of a registry, as cosign does',
  usage: 'tsbuild sign --key FILE [flags] NAME[:TAG|@DIGEST]',
  flags: [
    {
      name: 'key',
      metavar: 'FILE',
      values: 'paths',
      repeat: true,
      help: "A private key in PEM, cosign's or plain; env://NAME takes it of a variable",
      group: 'Signature',
    },
    SIGNED_ANNOTATION,
    {
      name: 'password-stdin',
      help: 'Read the password of the key from standard input (default: $COSIGN_PASSWORD, or ask)',
      group: 'Signature',
    },
    {
      name: 'generate-key',
      metavar: 'PREFIX',
      values: 'paths',
      help: 'Make a key pair, PREFIX.key with a password and PREFIX.pub, and sign nothing',
      group: 'Signature',
    },
    ...SENDING_FLAGS,
  ],
  examples: [
    ['tsbuild sign --generate-key team', 'make team.key and team.pub'],
    ['tsbuild sign --key team.key ghcr.io/me/app:1.2', 'sign an image, and each that it lists'],
  ],
  notes: ['tsbuild verify, cosign, skopeo and podman check such signatures; see docs/signing.md'],
  run: async (args, shell) => {
    const { runSign } = await import('../../transfer/run-sign.ts')
    return await runSign(args, shell)
  },
}
