/** SHA-256 of the page's style and script: its Content-Security-Policy lets these two be, and nothing else. A test holds them true. */
export const pageHashes = {
  style: 'sha256-sHSgESLMin+IjO0LXVe78fEbAkddCCWTBzIvwjPKj4Y=',
  script: 'sha256-mlga+W+sk++5geWjCyIxH14WUMKbcDzh5zvkrr1dWoc=',
} as const;
