"""The facade: cards as handles, making and finding them. What `import vsc` gives comes from here."""
