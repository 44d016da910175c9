/** Flags that every verb has. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly progress?: 'auto' | 'tty' | 'plain' | 'ndjson' | 'none';
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly dataDir?: string;
}
