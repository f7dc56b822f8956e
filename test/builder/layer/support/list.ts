import { listing } from './listing.ts'

/** What a step may have set, and no layer need keep. */
const xattrs = (name: string): boolean => /^user\.|^system\.posix_acl/.test(name)

/** Prints the listing of a directory: for another mount namespace. */
process.stdout.write(JSON.stringify(listing(process.argv[2] ?? '.', { xattrs })))
