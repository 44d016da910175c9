/** SHA-256 of the page's style and script: its Content-Security-Policy lets these two be, and nothing else. A test holds them true. */
export const pageHashes = {
  style: 'sha256-F22/ZkOqB+of+Ni6BDnWomzQWunWz9yLgBJD2ieZXDw=',
  script: 'sha256-Gnx8hUUwenN2aTipPPFBq/GpfIP/wwwUzn1oHT8QPx0=',
} as const;
