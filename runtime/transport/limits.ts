/**
 * How much one node may ask another to hold. What exceeds a limit is refused whole, never cut.
 */

/** Bytes of one frame on the wire. */
export const messageBytesMax = 4 * 1024 * 1024;

/** Frames of one moment travel together until they have so many bytes. */
export const gatheredBytesMax = 256 * 1024;

/** Entries of one list. */
export const listLengthMax = 100_000;

/** Characters of a node's name or a request id; also their shape, which is safe as a file name. */
export const nameLengthMax = 128;

/** Distinct counters of a job, all its tasks taken together: with names of 200 characters they fit one message. */
export const jobCountersMax = 5000;

/** Hexadecimal digits of a digest. */
export const digestLengthMax = 128;

/** Characters of a path, an address or the name of a job or a counter. */
export const pathLengthMax = 4096;

/** Characters of a text for people, and of a key or a stack frame quoted in one. */
export const textLengthMax = 64 * 1024;

/**
 * Bytes that may wait for a peer that does not read. Each waiting frame counts with `frameOverheadBytes` on top of its
 * own, so that many small ones weigh what they cost.
 */
export const queueBytesMax = 32 * 1024 * 1024;
export const frameOverheadBytes = 256;

/** Bytes of the path of a Unix socket: a longer one is cut silently by the system (107 bytes on Linux, 103 on macOS). */
export const socketPathBytesMax = 100;

/** Connections that one server holds at once. */
export const connectionsMax = 4096;

/** How long either end waits for the other's opening. */
export const openingMs = 2000;

/** How long an ended session may take to hand over what was sent before its end. */
export const closingMs = 500;
