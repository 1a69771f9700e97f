"""Images in folders: what is found, how it is brought to one form, what is refused."""

import numpy as np
import pytest
from PIL import Image

from keras_saae.data import SemiSupervisedDataset, image_folder

RED, GREY = (200, 10, 20), 100


def save(path, colour=RED, size=(6, 6), mode="RGB", **settings):
    """An image of one colour, `size` as (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size[::-1], colour).save(path, **settings)


@pytest.fixture
def pets(tmp_path):
    """Two cats, one dog, three images without a label."""
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        save(tmp_path / name, (50, 50, 50) if name.startswith("cat") else RED)
    for k in range(3):
        save(tmp_path / f"unlabelled/{k}.png", (0, 0, k))
    return tmp_path


def one(folder, image_size=(6, 6), **settings):
    """The one image in `folder`, as integers."""
    (image,) = image_folder(folder, image_size, **settings).images
    return image.astype(int)


def test_folders_are_classes_and_unlabelled_is_none(pets):
    x, y, class_names = image_folder(pets, image_size=(6, 6))
    assert (x.shape, x.dtype) == ((6, 6, 6, 3), np.uint8)
    assert class_names == ("cat", "dog")
    assert y.tolist() == [0, 0, 1, -1, -1, -1]
    assert x[:][:, 0, 0, 0].tolist() == [50, 50, 200, 0, 0, 0]


def test_the_american_spelling_is_no_class(tmp_path):
    save(tmp_path / "cat/1.png")
    save(tmp_path / "Unlabeled/1.png")
    found = image_folder(tmp_path, 6)
    assert (found.class_names, found.labels.tolist()) == (("cat",), [-1, 0])


def test_folders_named_by_numbers_are_sorted_by_value(tmp_path):
    for name in ("0", "1", "2", "10"):
        save(tmp_path / name / "1.png")
    assert image_folder(tmp_path, 6).class_names == ("0", "1", "2", "10")


def test_labels_follow_their_images_where_folders_are_sorted_by_value(tmp_path):
    for name in ("9", "10"):
        save(tmp_path / name / "1.png", (int(name), 0, 0))
    x, y, class_names = image_folder(tmp_path, 6)
    assert [class_names[label] for label in y] == [str(r) for r in x[:][:, 0, 0, 0]]


def test_folders_inside_a_class_belong_to_it(pets):
    save(pets / "dog/puppies/1.png")
    assert image_folder(pets, 6).labels.tolist() == [0, 0, 1, 1, -1, -1, -1]


def test_hidden_files_and_files_beside_the_folders_are_passed_over(pets):
    (pets / "cat/.DS_Store").write_text("no image")
    (pets / ".thumbnails").mkdir()
    (pets / "README.txt").write_text("no image")
    assert len(image_folder(pets, 6).images) == 6


def test_images_stay_files_until_they_are_indexed(pets):
    x = image_folder(pets, 6).images
    for path in pets.rglob("*.png"):
        save(path, (7, 7, 7))
    assert x[2].max() == x[2].min() == 7


def test_the_images_feed_a_semi_supervised_data_set(pets):
    x, y, class_names = image_folder(pets, 6)
    dataset = SemiSupervisedDataset(x, y, 4, 2, num_classes=len(class_names))
    batch = dataset[0]
    brightness = {0: 50, 1: 200}
    assert batch["x"].shape == (4, 6, 6, 3)
    for image, label in zip(batch["x_labelled"], batch["y_labelled"]):
        assert image[0, 0, 0] == brightness[label]


# One form for all images


def test_images_of_all_sizes_are_resized_to_one(tmp_path):
    for k, size in enumerate([(3, 9), (12, 5), (40, 40)]):
        save(tmp_path / f"cat/{k}.png", size=size)
    x = image_folder(tmp_path, image_size=(4, 8)).images[:]
    assert x.shape == (3, 4, 8, 3)
    assert np.all(x == RED)


def test_nothing_is_cut_off(tmp_path):
    wide = np.zeros((4, 16, 3), "uint8")
    wide[:, 8:] = 255
    (tmp_path / "cat").mkdir()
    Image.fromarray(wide).save(tmp_path / "cat/1.png")
    row = one(tmp_path, (4, 4))[0, :, 0]
    assert row[0] < 10 and row[3] > 245  # dark left end, bright right end


def test_large_jpeg_files_are_resized_too(tmp_path):
    save(tmp_path / "cat/1.jpg", size=(200, 120), quality=95)
    np.testing.assert_allclose(one(tmp_path), np.broadcast_to(RED, (6, 6, 3)), atol=4)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", GREY, (GREY,) * 3),
        ("1", 1, (255,) * 3),
        ("LA", (GREY, 255), (GREY,) * 3),
        ("RGBA", (*RED, 255), RED),
        ("RGBA", (*RED, 0), (255,) * 3),
        ("RGBA", (0, 0, 0, 51), (204,) * 3),  # 51/255 = a fifth of black on white
        ("I;16", 257 * GREY, (GREY,) * 3),
    ],
)
def test_modes_become_rgb_on_white(tmp_path, mode, colour, expected):
    save(tmp_path / "cat/1.png", colour, mode=mode)
    assert np.all(one(tmp_path) == expected)


def test_palette_images_show_their_colours(tmp_path):
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (6, 6), RED).quantize(4).save(tmp_path / "cat/1.png")
    assert np.all(one(tmp_path) == RED)


def test_print_colours_become_rgb(tmp_path):
    save(tmp_path / "cat/1.tif", (0, 255, 255, 0), mode="CMYK")
    assert np.all(one(tmp_path) == (255, 0, 0))


def test_grayscale_images_have_no_channels(tmp_path):
    save(tmp_path / "cat/1.png", (100, 100, 100))
    save(tmp_path / "cat/2.png", GREY, mode="L")
    x = image_folder(tmp_path, 6, color_mode="grayscale").images
    assert x.shape == (2, 6, 6)
    assert np.all(x[:] == 100)


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top row is the right-hand column
    top_row_dark = np.full((6, 6, 3), 255, "uint8")
    top_row_dark[0] = 0
    (tmp_path / "cat").mkdir()
    Image.fromarray(top_row_dark).save(tmp_path / "cat/1.png", exif=exif)
    assert one(tmp_path)[3, :, 0].tolist() == [255] * 5 + [0]


def test_without_a_size_images_keep_the_one_they_have_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "cat/1.png", size=(5, 7), exif=exif)  # turned on its side
    save(tmp_path / "cat/2.png", size=(7, 5))
    assert image_folder(tmp_path).images.shape == (2, 7, 5, 3)


# What is refused


def test_different_sizes_are_refused_if_none_is_given(tmp_path):
    for k, size in enumerate([(6, 6), (6, 6), (3, 9)]):
        save(tmp_path / f"cat/{k}.png", size=size)
    message = r"2 sizes: .*0\.png is 6 high and 6 wide, .*2\.png 3 and 9.*`image_size="
    with pytest.raises(ValueError, match=message):
        image_folder(tmp_path)


def test_a_size_is_found_among_unreadable_files(tmp_path):
    for k in range(200):
        save(tmp_path / f"cat/{k}.png", size=(3, 9))
    (tmp_path / "cat/1.png").write_text("no image")
    with pytest.warns(UserWarning, match="1 of 200"):
        assert image_folder(tmp_path).images.shape == (199, 3, 9, 3)


def test_files_of_no_size_are_no_images(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/1.png").write_text("no image")
    with pytest.raises(ValueError, match="No file in the folders"):
        image_folder(tmp_path)


def damage(path):
    path.write_bytes(path.read_bytes()[:40])


def hundred_cats(folder, damaged=0):
    for k in range(100):
        save(folder / f"cat/{k:02}.png", (k, 0, 0))
    for k in range(damaged):
        damage(folder / f"cat/{k:02}.png")
    return folder


def test_an_unreadable_file_is_named_and_left_out(tmp_path):
    hundred_cats(tmp_path, damaged=1)
    with pytest.warns(UserWarning, match="1 of 100 files .*cat/00.png.* left out"):
        x, y, _ = image_folder(tmp_path, 6)
    assert y.tolist() == [0] * 99
    assert x[0][0, 0].tolist() == [1, 0, 0]


def test_unreadable_files_over_one_percent_are_an_error(tmp_path):
    hundred_cats(tmp_path, damaged=2)
    with pytest.raises(ValueError, match="2 of 100 .*00.png.*01.png.* more than 1%"):
        image_folder(tmp_path, 6)


def test_no_more_than_ten_files_are_named(tmp_path):
    hundred_cats(tmp_path, damaged=11)
    with pytest.raises(ValueError, match=r"09.png \(.*\); \.\.\.\. That") as error:
        image_folder(tmp_path, 6)
    assert "10.png" not in str(error.value)


@pytest.mark.parametrize("kept", [0, 10, 2000])
def test_a_truncated_photograph_is_unreadable(tmp_path, kept):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), "uint8")
    (tmp_path / "cat").mkdir()
    path = tmp_path / "cat/1.jpg"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="1 of 1 files cannot be read .*cat/1.jpg"):
        image_folder(tmp_path, 6)


def test_text_and_float_images_are_unreadable(tmp_path):
    save(tmp_path / "cat/1.tif", 0.5, mode="F")
    (tmp_path / "cat/notes.txt").write_text("no image")
    with pytest.raises(ValueError, match="1.tif .floats.*notes.txt .cannot identify"):
        image_folder(tmp_path, 6)


def test_unchecked_files_end_the_run_that_meets_them(pets):
    damage(pets / "cat/2.png")
    x = image_folder(pets, 6, check=False).images
    assert x[0].shape == (6, 6, 3)
    with pytest.raises(OSError, match="cat/2.png"):
        x[1]


@pytest.mark.parametrize("name", ["bird", "unlabelled"])
def test_an_empty_folder_is_named(tmp_path, name):
    save(tmp_path / "cat/1.png")
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=f"{name} holds no images"):
        image_folder(tmp_path, 6)


def test_images_outside_class_folders_are_explained(tmp_path):
    save(tmp_path / "1.png")
    with pytest.raises(ValueError, match="holds no folder of a class. .*'unlabelled'"):
        image_folder(tmp_path, 6)


def test_a_folder_without_classes_is_explained(tmp_path):
    save(tmp_path / "unlabelled/1.png")
    with pytest.raises(ValueError, match="holds no folder of a class"):
        image_folder(tmp_path, 6)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        image_folder(tmp_path / "nowhere", 6)


@pytest.mark.parametrize("wrong", [0, (6, -1), (6, 6, 3)])
def test_sizes_that_are_none_are_refused(pets, wrong):
    with pytest.raises(ValueError, match="`image_size`"):
        image_folder(pets, wrong)


def test_an_unknown_color_mode_gets_a_suggestion(pets):
    with pytest.raises(ValueError, match="Did you mean 'grayscale'"):
        image_folder(pets, 6, color_mode="greyscale")
