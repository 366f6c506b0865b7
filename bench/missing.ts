/** An input or a peer that this machine does not have: the bench exits 5 and says which. */
export class Missing extends Error {}
