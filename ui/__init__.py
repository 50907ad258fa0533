"""The window: Qt only here. View-models turn snapshots into rows and paint arrays without Qt."""
