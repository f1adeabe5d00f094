/** Binds a sealed value to its place: moved to another name or organization, it does not open. */
export function ownerOf(orgId: string, name: string): string {
  return `secret ${orgId} ${name}`;
}
