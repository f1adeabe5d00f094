/** Commands are rows, rendered by the palette; each names what it is, where it leads and what it is found by. */
export interface Command {
  key: string;
  title: string;
  group: string;
  keywords: string;
  icon?: string | null | undefined;
  run: () => void;
}

/** Every word must occur; a title that begins with the text comes first, then one that contains it. */
export function findCommands(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...commands];
  const whole = words.join(' ');
  const rank = (command: Command): number => {
    const title = command.title.toLowerCase();
    return title.startsWith(whole) ? 0 : title.includes(whole) ? 1 : 2;
  };
  return commands
    .filter((command) => {
      const haystack = `${command.title} ${command.group} ${command.keywords}`.toLowerCase();
      return words.every((word) => haystack.includes(word));
    })
    .sort((a, b) => rank(a) - rank(b));
}
