import { listing } from './listing.ts'

/** Prints the listing of a directory: for another mount namespace. */
process.stdout.write(JSON.stringify(listing(process.argv[2] ?? '.')))
