"""What the notebooks show: a study's folders, put under sliders, menus and buttons. What is
computed is computed by the evaluations. Needs ipywidgets (`pip install 'pgcxr[notebook]'`)."""
