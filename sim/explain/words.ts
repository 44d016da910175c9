/** Decisions of the master, in words. */

type Detail = Readonly<Record<string, string | number | boolean>>;

/** Why a worker was given up. */
export function lossText(node: string, name: string, detail: Detail): string {
  if (name === 'worker-lease-expired') {
    return `no word came from ${node} for ${Number(detail.leaseUs) / 1_000_000} s, its lease`;
  }
  switch (detail.end) {
    case 'killed':
      return `the process of ${node} was killed`;
    case 'crashed':
      return `the process of ${node} crashed`;
    case 'silent':
      return `the session of ${node} broke, and it did not come back in time`;
    default:
      return `${node} was lost (${detail.end})`;
  }
}

/** Why an attempt was taken from its worker. `loss` says why the worker was given up, if it was. */
export function revocationText(why: string, node: string, loss: string | undefined): string {
  switch (why) {
    case 'worker-lost':
      return `revoked: ${loss ?? `${node} was lost`}`;
    case 'order-lost':
      return `revoked: the order never reached ${node}`;
    case 'superseded':
      return 'revoked: another attempt was committed first';
    case 'timeout':
      return 'revoked: it made no progress';
    case 'inputs-changed':
      return 'revoked: a map that it reads was made again and came out different';
    case 'input-unreadable':
      return 'given back: it could not read one of its inputs';
    case 'preempted':
      return 'revoked: a map needed its slot while it waited for maps';
    case 'job-ended':
      return 'revoked: the job is over';
    default:
      return `revoked: ${why}`;
  }
}

/** Why a report changed nothing. `winner` names the committed attempt. */
export function verdictText(verdict: string, detail: Detail, winner: string | undefined): string {
  const by = detail.by === undefined ? '' : ` of ${detail.by}`;
  switch (verdict) {
    case 'superseded':
      return `its late report was ignored: ${winner ?? 'another attempt'}${by} is committed already`;
    case 'not-owner':
      return 'its late report was ignored: its lease was gone, and the policy owner-only takes reports of owners alone';
    case 'dead':
      return 'its late report was ignored: it had failed, or its output was declared lost, and that is for ever';
    case 'inputs-changed':
      return 'its report was ignored: it had read map outputs that have been replaced since';
    case 'job-ended':
      return 'its late report was ignored: the job is over';
    default:
      return `its report was ignored: ${verdict}`;
  }
}
