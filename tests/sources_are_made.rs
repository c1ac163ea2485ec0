//! The sources of these tests are what they claim to be: hard to cut, and rich enough to tell frames apart.

use offpeak_tests::{reference, sources};

#[tokio::test]
async fn every_source_has_pictures_that_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    for recipe in sources::recipes() {
        let source = recipe.make(folder.path()).await;
        let start = reference::presentation_start(&source).await;
        let pictures = reference::pictures(&source, start, recipe.rate, recipe.interlaced, &[recipe.size]).await;
        let (all, different) = (pictures[0].len(), pictures[0].different());
        assert!(different * 10 >= all * 6 && all > 350, "{}: {different} of {all} pictures differ", recipe.file);
        assert_eq!(pictures[0].first_off_grid(recipe.rate), None, "{}", recipe.file);
        println!("{}: {all} frames, {different} different", recipe.file);
    }
}
