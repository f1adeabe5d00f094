import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** Harbour: the brand colour. Shade 7 carries white text at 5.9:1, shade 3 carries the dark scheme's surfaces at 8:1. */
const harbour: MantineColorsTuple = [
  '#e8f6f9',
  '#d3ebf0',
  '#a8d7e1',
  '#79c3d2',
  '#4fadc0',
  '#2f96ab',
  '#177f95',
  '#0b6477',
  '#095262',
  '#053d49',
];
/** Slate: greys with a little of the brand's blue, so that surfaces look like one material. */
const slate: MantineColorsTuple = [
  '#f7f9fa',
  '#eff2f4',
  '#e1e7ea',
  '#cdd6db',
  '#a9b6bd',
  '#83929b',
  '#5c6b74',
  '#46545c',
  '#2c383f',
  '#182126',
];
const dark: MantineColorsTuple = [
  '#d5dde1',
  '#b4c0c6',
  '#9aa8b0',
  '#71818a',
  '#3d4a52',
  '#2d383f',
  '#222c32',
  '#1a2227',
  '#141b1f',
  '#0e1316',
];

export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  colors: { harbour, gray: slate, dark },
  autoContrast: true,
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.84rem', md: '0.94rem', lg: '1.06rem', xl: '1.25rem' },
  headings: {
    fontWeight: '620',
    sizes: {
      h1: { fontSize: '1.4rem', lineHeight: '1.3' },
      h2: { fontSize: '1.06rem', lineHeight: '1.4' },
      h3: { fontSize: '0.94rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { transitionProps: { duration: 140 } } },
    Combobox: { defaultProps: { shadow: 'md' } },
    // In place, not at the end of the page: a menu stays in the landmark of its button.
    Menu: {
      defaultProps: {
        shadow: 'md',
        transitionProps: { duration: 80 },
        withinPortal: false,
        withInitialFocusPlaceholder: false,
      },
    },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true, events: { hover: true, focus: true, touch: false } } },
  },
});

/** Mantine's dimmed, placeholder, error, default-border and light colours miss 4.5:1 or look washed out; these do not. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#55636b',
    '--mantine-color-placeholder': '#66747c',
    '--mantine-color-error': '#c22525',
    '--mantine-color-anchor': '#0b6477',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#1b262c',
    '--mantine-color-default-border': '#d5dde1',
    '--q-canvas': '#f5f8f9',
    '--q-surface': '#ffffff',
    '--q-line': '#e0e7ea',
    '--q-hover': '#eef3f5',
    '--q-accent-surface': '#e3f2f5',
    '--q-accent-text': '#0a5766',
    '--mantine-color-harbour-light': '#e3f2f5',
    '--mantine-color-harbour-light-hover': '#d3e9ee',
    '--mantine-color-harbour-light-color': '#0a5766',
  },
  dark: {
    '--mantine-color-dimmed': '#9dabb3',
    '--mantine-color-placeholder': '#8a99a2',
    '--mantine-color-error': '#ff8f8f',
    '--mantine-color-anchor': '#79c3d2',
    '--mantine-color-body': '#1a2227',
    '--mantine-color-text': '#d9e1e5',
    '--mantine-color-default-border': '#36434a',
    '--q-canvas': '#12181c',
    '--q-surface': '#1a2227',
    '--q-line': '#2a353b',
    '--q-hover': '#232e34',
    '--q-accent-surface': '#173a43',
    '--q-accent-text': '#9fdbe7',
    '--mantine-color-harbour-light': '#173a43',
    '--mantine-color-harbour-light-hover': '#1d4853',
    '--mantine-color-harbour-light-color': '#9fdbe7',
  },
});
