/** A process that starts now could not be reached, nor reach anybody. */
export class SocketsGoneError extends Error {
  override readonly name = 'SocketsGoneError';
  readonly path: string;

  constructor(path: string) {
    super(`${path} is gone`);
    this.path = path;
  }
}
